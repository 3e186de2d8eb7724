"""The widget's surface: what pages of other sites ask, each from an origin that a list has."""
