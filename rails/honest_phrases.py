"""What people say to a help desk that reads like an order to an assistant: cut out before a message is judged again.

Whatever stands beside such a phrase is still looked at, so that nothing hides behind one. Written, as the patterns are,
for text that `disguises.plain` has folded.
"""

from rails.matching import compile_linear

_THINGS = (
    r"(?:tickets?|incidents?|cases?|requests?|e-?mails?|mails?|letters?|calls?|voicemails?|bookings?|reservations?"
    r"|invoices?|receipts?|attachments?|screenshots?|pictures?|photos?|files?|forms?|applications?|complaints?"
    r"|reports?|claims?|appointments?|meetings?|invitations?|reminders?|numbers?|dates?|addresses|address|links?"
    r"|order (?:numbers?|confirmations?|forms?))"
)
_DESTROYING = r"[\"'`]?(?:sudo )?rm -rf /[\w.*~/-]*[\"'`]?"
HONEST = compile_linear(
    # "Please disregard the above ticket": what is dropped is a thing of the help desk, and no order.
    r"\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?: about)?|discard)"
    r" (?:(?:the|my|our|this|that|these|those|all|of|both|any) ){0,3}"
    r"(?:(?:above|below|previous|earlier|prior|preceding|following|last|first|old|rest of (?:the|my|this|that))"
    rf"(?:[ -]mentioned)? ){{1,2}}(?:(?:support|service|password|leave|travel|expense|it|hr) )?{_THINGS}\b"
    # "rm -rf / was a meme", "he typed rm -rf /": told or asked about, and not to be done.
    rf"|{_DESTROYING} (?:was|were|is|isn't|means?|would|does|did|looks?|sounds|jokes?|memes?)\b"
    r"|\b(?:(?:i|we|he|she|they|somebody|someone|anyone|people|colleague|intern|who) (?:has |have |had )?"
    r"(?:just |once |accidentally |even |almost |nearly )?(?:typed|ran|run|executed|entered|used|did|wrote|posted)"
    rf"|what (?:is|does|are)|(?:meme|joke|command|story|question) (?:about|of|with|called)) {_DESTROYING}"
)

_MACHINERY = (
    r"(?:queues?|consumers?|topics?|brokers?|workers?|threads?|streams?|pipelines?|services?|channels?|partitions?)"
)
ENGINEERING = compile_linear(
    r"\bpoison[- ]?pill[- ](?:tests?|testing|messages?|records?|events?|handling)\b|\bpoison (?:messages?|queues?)\b"
    rf"|\bpoison[- ]?pills? (?:(?:test )?(?:in|into|to|on|onto|against|for|from) (?:the|our|a|an|your|my|this|that) )"
    rf"(?:\w+ )?{_MACHINERY}\b"
)
"""What builders of software call a message that stops its reader; read as a test where a message is compared."""
