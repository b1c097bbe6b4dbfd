"""From probabilities to a label: rules, thresholds, calibration, scores, emotions as points. Arrays only."""
