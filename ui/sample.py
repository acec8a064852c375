"""The sample document that ships with the program: our own text, and questions that it answers."""

from pathlib import Path

PATH = Path(__file__).parent / "sample" / "Harbour lease.md"

QUESTIONS = {
    "en": ("Who pays for repairs to the roof?", "How can the tenant end the lease early?", "What law governs this lease?"),
    "zh": ("Who pays for repairs to the roof?", "How can the tenant end the lease early?", "What law governs this lease?"),
}
