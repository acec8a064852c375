"""Role-play: character cards, their lorebooks, and scenes that go on from a cached sheet."""
