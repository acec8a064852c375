"""The web switch: looking outside when the documents do not answer. Nothing in here runs, and nothing leaves, while it is off."""
