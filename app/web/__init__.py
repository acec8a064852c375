"""The web switch: looking outside when the documents do not answer. Nothing in here runs while it is off."""
