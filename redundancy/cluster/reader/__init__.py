"""From files to facts: unpacked, cleaned, cut at prompts, and recognised by what the lines say."""
