"""Tokens in, tokens out: the long-context session over llama.cpp. Knows no documents."""
