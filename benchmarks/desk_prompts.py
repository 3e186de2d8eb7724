"""Help-desk prompts for benchmarks of the model worker: of one assistant, or ones that share nothing."""

from models.ports import ApprovedPrompt, PartKind, PromptPart, RenderedPrompt

INSTRUCTIONS = (
    "You are the help desk of the office. Answer in two short sentences. Use only what you are told here and never "
    "invent names, numbers or dates. The office is open from 07:30 to 20:00 on working days, badges are at the front "
    "desk, and laptops are repaired on the second floor."
)
"""Some 65 tokens with their markup; with a question of ten they are about 85 % of the prompt."""

QUESTIONS = (
    *("When is the office open?", "Where do I get a badge?", "Who repairs my laptop?", "How do I book a room?"),
    *(
        "Where is the front desk?",
        "Is the office open at night?",
        "What is on the second floor?",
        "Who has keys?",
    ),
    *("Where do I park my car?", "How do I get a chair?", "Where do I print?", "Who changes my screen?"),
    *("When can I come in?", "Where is the first-aid kit?", "How do I join a call?", "Who takes lost keys?"),
)

TOPICS = (
    *("gardens", "bridges", "rivers", "clocks", "violins", "kitchens", "harbours", "deserts"),
    *("libraries", "markets", "glaciers", "orchards", "stations", "theatres", "bakeries", "lighthouses"),
)


def shared_prompt(number: int) -> ApprovedPrompt:
    """Returns one of many prompts of an assistant; each number's is another."""
    floor, place = divmod(number, len(QUESTIONS))
    return _prompt(INSTRUCTIONS, f"{QUESTIONS[place][:-1]} on floor {floor + 1}?", "desk")


def lone_prompt(number: int) -> ApprovedPrompt:
    """Returns a prompt whose first word already is its own, of about the same length as the shared ones."""
    topic = TOPICS[number % len(TOPICS)]
    words = (
        f"{topic.capitalize()} number {number} are what you know about. Answer in two short sentences, say only what "
        f"is told here about {topic}, and be kind. The {topic} are open from 09:00 to 17:00, guides to {topic} are at "
        f"the gate, and {topic} are cleaned on Mondays by the people who look after {topic}."
    )
    return _prompt(words, f"When are the {topic} open?", f"{topic}-{number}")


def _prompt(instructions: str, question: str, assistant: str) -> ApprovedPrompt:
    return ApprovedPrompt(
        RenderedPrompt(
            (PromptPart(instructions, PartKind.APPROVED),), (PromptPart(question, PartKind.APPROVED),), assistant
        )
    )
