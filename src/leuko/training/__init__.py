"""Recipes, data, losses and runs that make weights (torch and Lightning)."""
