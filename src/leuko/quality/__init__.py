"""Is the input fit, is the result plausible?"""
