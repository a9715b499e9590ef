"""Charts as inline SVG: positions are percentages of the box, so text and strokes keep their size at any width."""
