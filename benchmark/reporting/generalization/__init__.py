"""Generalization in numbers: how good a model stays under noise that it was not trained on."""
