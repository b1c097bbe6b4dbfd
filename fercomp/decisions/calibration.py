"""Temperature scaling: probabilities that mean what they say (Guo et al., 2017)."""

import numpy as np


def apply_temperature(pred_probs: np.ndarray, temperature: float) -> np.ndarray:
    """Softens (above 1) or sharpens (below 1) probabilities; the order of the classes stays.

    Dividing logits by a temperature equals raising probabilities to its inverse and normalising, so
    that no logits need be kept.

    Args:
        pred_probs: `(N, K)` float, rows sum to 1.
        temperature: Above 0; 1 changes nothing.

    Returns:
        `(N, K)` of the same dtype, rows sum to 1.
    """
    if temperature == 1.0:
        return pred_probs
    logits = np.log(np.clip(pred_probs, 1e-12, 1.0)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    scaled: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return scaled.astype(pred_probs.dtype)


def fit_temperature(pred_probs: np.ndarray, labels: np.ndarray) -> float:
    """Finds the temperature with the least log-loss.

    Args:
        pred_probs: `(N, K)` float, from photos the model was not trained on.
        labels: `(N,)` int class indices; photos whose label is no class of the model (K) are left out.

    Returns:
        A temperature from 0.05 to 20, rounded to four decimals.
    """
    from scipy.optimize import minimize_scalar

    known = labels < pred_probs.shape[1]
    pred_probs, labels = pred_probs[known], labels[known]
    rows = np.arange(len(labels))

    def log_loss(log_temperature: float) -> float:
        scaled = apply_temperature(pred_probs.astype(np.float64), float(np.exp(log_temperature)))
        return float(-np.log(np.clip(scaled[rows, labels], 1e-12, 1.0)).mean())

    found = minimize_scalar(log_loss, bounds=(np.log(0.05), np.log(20.0)), method="bounded")
    return round(float(np.exp(found.x)), 4)
