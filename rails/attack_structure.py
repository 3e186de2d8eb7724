"""What attempts to take over an assistant look like by their build: games, claims, code and rewritten instructions.

Continues `attack_patterns`, for text folded in the same way; the names become reason codes.
"""

_INSTRUCTIONS = r"(?:instructions?|prompts?|rules|rule ?set|directives|guidelines)"
_FORMS = (
    r"(?:bullet(?:ed)?|numbered|list|table|python|json|yaml|xml|markdown|pseudo-?code|code ?block|rap|poem|song|haiku"
    r"|limerick|sonnet|emoji|rhyme|latin|french|german|spanish|pig latin|base64|rot ?13)"
)

STRUCTURE = {
    "rewriting": r"\b(?:output|list|print|show|tell|give|format|rewrite|rephrase|reword|paraphrase|convert|turn|put"
    r"|render|explain|summari[sz]e|translate|encode|repeat|write|describe|improve|correct|tldr|tl;dr)\b"
    rf"(?:[^a-z0-9\n]+[a-z0-9']+){{0,4}}?[^a-z0-9]+(?:previous|prior|preceding|earlier|your|initial) {_INSTRUCTIONS}\b"
    rf"|\b(?:your|previous|prior|all|above|these) {_INSTRUCTIONS}\b[^.\n]{{0,60}}\b(?:in|into|as|to) "
    rf"(?:[a-z]+ ){{0,2}}{_FORMS}\b|\bformat (?:the|these) {_INSTRUCTIONS}\b"
    rf"|\b(?:the|all) {_INSTRUCTIONS} (?:in|of|from|inside|before) (?:the|your|this) (?:prompt|context|message)\b"
    r"|\b(?:the )?system ?prompt is\b|\bsystemprompt\b"
    r"|\b(?:text|words|message|sentence|paragraph|everything) (?:that )?you (?:were|have been|got|had been)"
    r" (?:given|told|shown|sent)\b",
    "prompt_leak": r"\b(?:first|last|previous|initial|opening|starting|original) (?:thing|message|sentences?|lines?"
    r"|words?|text|paragraphs?|phrase|part|turn|input)\b[^.\n]{0,40}\b(?:(?:of|in) (?:this|the|our|your) "
    r"(?:conversation|chat|prompt|context|session)|you (?:were|got|received|saw|have))\b"
    r"|\b(?:cat|type|less|head|tail|open|view|read|print|select|echo|get|display|dump|show|return|send|forward|paste"
    r"|leak)\b[^a-z\n]{1,3}[^\n]{0,20}\b(?:system|initial|hidden|secret|original)[_ -]?(?:prompt|instructions?"
    r"|message|config|rules)|\bsystem[_-]prompt\b"
    r"|\byour (?:(?:own|full|exact|complete|entire|whole|current|underlying|base|internal) )*(?:system|initial"
    r"|original|hidden|secret|first|starting|pre)[ -]?(?:prompt|instructions?|message|rules|directives|guidelines"
    r"|text|context|configuration|settings)\b|\byour (?:directives|programming|pre-?prompt|training data)\b"
    r"|\byour (?:full |exact |entire |whole |complete )?prompt(?:\W*$|[?!.,;:]| (?:say|is|in|to|and|that|verb|word|as"
    r"|with|using|back|contain|look|start|begin))|\b(?:how|what|which way) (?:were|was|are|is|have|had) (?:you"
    r"|this (?:ai|bot|assistant|chat ?bot))(?: been)? (?:prompted|programmed|instructed|configured|told|given)\b"
    r"|\b(?:context window|chat template|hidden (?:context|text|message))\b",
    "claim": r"\b(?:say|print|return|output|reply|respond|answer|write|echo)\b[^\n]{0,30}\baccess granted\b"
    r"|^\W*(?:system\W+)?access granted\W*$"
    r"|\buser (?:has |had )?(?:just )?(?:input|entered|typed|given|gave|provided|said|supplied)\b[^.\n]{0,30}"
    r"\b(?:correct|right|valid) (?:password|code|access|key|phrase)"
    r"|^[\s\[({<\"'*]{1,4}(?:the )?(?:correct|valid|right) (?:password|access code|code)\b[^\n]{0,20}$"
    r"|\bpassword\b[^.\n]{0,20}\b(?:accepted|verified|authenticated)\b[^\n]{0,60}\b(?:grant|respond|reply|say|proceed)"
    r"|\bwhat (?:would|will|do|should) you (?:say|reply|answer|respond|output|print)\b[^\n]{0,30}\b(?:if|to|when)\b"
    r"[^\n]{0,80}\b(?:passwords?|codes?|keys?|correct|right|valid|authori[sz]ed|access|secret|rules|instructions?|asked"
    r"|opposite|attacker|i (?:said?|typed?|entered|told|gave|input))\b",
    "game": r"\bopposite day\b|\bthe opposite of what (?:you|your)\b"
    r"|\b(?:say|answer|tell|respond|reply|write|output|mean)\b[^.?\n]{0,20} the (?:exact )?opposite of what i\b"
    r"|\b(?:you|your)\b[^.\n]{0,60}\b(?:tokens?|lives)\b[^.\n]{0,80}"
    r"\b(?:lose|deduct\w*|die|dies|subtract\w*|shut down|terminated|penal\w+|cease)\b"
    r"|\[[^\]\n]{0,20}(?:jailbreak|classic|unlocked|unfiltered|uncensored)[^\]\n]{0,20}\]"
    r"|[\x{1f512}\x{1f513}]|\b(?:give|provide|write|generate|produce|answer|respond|reply)\b[^.?\n]{0,20}"
    r" (?:two|both|three) (?:different )?(?:answers|responses|replies|versions|outputs)\b"
    r"[^\n]{0,80}\b(?:you|yourself|without|free|uncensored|normal|evil|opposite)\b"
    r"|\bas if you (?:were|are|had)\b[^.\n]{0,40}\b(?:an? |no |not )(?:\w+ ){0,3}?"
    r"(?:ai|console|terminal|interpreter|bot|model|human|person|rules|limits|restrictions|filters?|longer)\b"
    r"|\bstay in (?:character|role)\b|\bstop being in character\b",
    "program": r"\bclass [a-z_]\w{0,40} ?(?:\([^)\n]{0,60}\) ?)?[:{]|\bfunction [a-z_]\w{0,40} ?\([^)\n]{0,80}\) ?\{"
    r"|\b(?:print|console\.log|system\.out\.print(?:ln)?|printf|puts)\([\"']"
    r"|\bdef [a-z_]\w{0,40}\([^)\n]{0,100}\)[^?\n]{0,40}[:\n][^?]{0,200}\b(?:return|print|yield|answer|respond"
    r"|prompt|you)\b"
    r"|\b[a-z]\w{0,10} ?= ?[\"'][^\"'\n]{1,80}[\"'][;,\s]+(?:and )?[a-z]\w{0,10} ?= ?[\"']"
    r"|\bif __name__\b|\bwhile true\b ?:",
    "boundary": r"\bend (?:of )?(?:un)?trusted (?:user )?input\b|\b(?:un)?trusted user input\b"
    r"|\bignore (?:any |the )?other (?:instructions|rules|prompts|text|messages)\b",
    # Nobody writes eight letters and more with something between each of them.
    "spaced_letters": r"(?:^|[^a-z0-9])(?:[a-z][ .\-_*|/,]{1,3}){9,}[a-z](?:[^a-z0-9]|$)",
}
"""The patterns that are looked for where `attack_patterns.TAKEOVER` is."""
