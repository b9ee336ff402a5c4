"""A rotation, and a small network for what it leaves.

::

    y = g (r (x - m) R + W₂ᵀ max(0, W₁ᵀ (x - m) + b) + c) + t

R is the rotation of `procrustes`, r its least-squares scale. One hidden layer then learns the rest,
y - t - r (x - m) R, by squared error (Adam, weight decay, early stopping on a tenth of the pairs:
scikit-learn's MLPRegressor; the forward pass is NumPy). If it explains nothing of that tenth, it is left
out. g gives the rows back the spread of the target (`procrustes` says why).

He, K., Zhang, X., Ren, S. & Sun, J. (2016). Deep Residual Learning for Image Recognition. CVPR.
Kingma, D. & Ba, J. (2015). Adam: A Method for Stochastic Optimization. ICLR.
"""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np

from spaceport.adapters._spread import spread
from spaceport.adapters.base import Adapter, Arrays, Double, linear
from spaceport.arrays import Matrix, integer, positive
from spaceport.geometry import alignment
from spaceport.threads import one_thread

__all__ = ["Residual"]

_LEAST = 20  # pairs from which a tenth can tell anything


class Residual(Adapter):
    """A rotation with a small network beside it, for maps that bend.

    Parameters
    ----------
    hidden : int
        Units of the hidden layer.
    epochs : int
        At most; it stops after `patience` without gain.
    patience : int
    learning_rate, decay : float
        Adam's step, and the weight of the squared weights.
    seed : int
        For the first weights, the order of the pairs and the tenth that is held out.

    Attributes
    ----------
    epochs_ : int
        Epochs that were run.
    explained_ : float
        Share of what the rotation leaves that the network explains, on the tenth held out.

    Examples
    --------
    >>> X = np.random.default_rng(0).standard_normal((2000, 2)).astype("f4")
    >>> bent = Residual(hidden=32, learning_rate=0.01).fit(X, np.abs(X))
    >>> bent([[1.5, -0.5]]).round(1)
    array([[1.5, 0.5]], dtype=float32)
    """

    freedom: ClassVar[int] = 2
    libraries: ClassVar[tuple[str, ...]] = ("scikit-learn",)

    def __init__(
        self,
        hidden: int = 256,
        epochs: int = 60,
        patience: int = 4,
        learning_rate: float = 0.001,
        decay: float = 0.0001,
        seed: int = 0,
    ) -> None:
        self.hidden = integer(hidden, "hidden", 1)
        self.epochs = integer(epochs, "epochs", 1)
        self.patience = integer(patience, "patience", 1)
        self.learning_rate = positive(learning_rate, "learning_rate")
        self.decay = positive(decay, "decay", zero=True)
        self.seed = integer(seed, "seed", 0)

    def learn(self, X: Double, Y: Double) -> Arrays:
        """Learn the rotation and the network from pairs, (n, p) and (n, q)."""
        turn = alignment.procrustes(X, Y, centering=True, scaling=True)
        centered = X - turn.origin
        matrix = turn.scale * turn.matrix
        rest = Y - centered @ matrix - turn.target
        first, bias, second, last = self._bent(centered, rest)
        sent = centered @ matrix + np.maximum(centered @ first + bias, 0) @ second + last
        scale = spread(sent, Y - turn.target)
        arrays = linear(turn.origin, scale * matrix, turn.target + scale * last)
        told = {"first": first, "bias": bias, "second": scale * second}
        return arrays | {name: np.ascontiguousarray(a, np.float32) for name, a in told.items()}

    def send(self, X: Matrix) -> Matrix:
        """Send rows over, (n, p) to (n, q)."""
        learnt = self.arrays_
        centered = X - learnt["origin"]
        hidden = centered @ learnt["first"] + learnt["bias"]
        np.maximum(hidden, 0, out=hidden)
        sent: Matrix = centered @ learnt["matrix"] + hidden @ learnt["second"] + learnt["target"]
        return sent

    def facts(self) -> dict[str, Any]:
        """Epochs run, and the share of the rest that the network explains."""
        if not hasattr(self, "epochs_"):
            return {}
        return {"epochs": self.epochs_, "rest explained": self.explained_}

    def _bent(self, X: Double, rest: Double) -> tuple[Double, Double, Double, Double]:
        """Weights and biases of the two layers, in the units of X and of the rest."""
        wide, off = (float(np.sqrt(np.mean(rows**2))) for rows in (X, rest))
        self.epochs_, self.explained_ = 0, 0.0
        if len(X) >= _LEAST and off > 1e-6 * wide:
            model = self._trained(X / wide, rest / off)
            self.epochs_, self.explained_ = model.n_iter_, float(model.best_validation_score_)
            if self.explained_ > 0:
                (first, second), (bias, last) = model.coefs_, model.intercepts_
                return first / wide, bias, second * off, last * off
        p, q = X.shape[1], rest.shape[1]
        return np.zeros((p, 1)), np.zeros(1), np.zeros((1, q)), np.zeros(q)

    def _trained(self, X: Double, rest: Double) -> Any:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPRegressor

        model = MLPRegressor(
            hidden_layer_sizes=(self.hidden,),
            alpha=self.decay,
            learning_rate_init=self.learning_rate,
            batch_size=min(256, len(X) // 2),
            max_iter=self.epochs,
            n_iter_no_change=self.patience,
            early_stopping=True,
            random_state=self.seed,
        )
        wanted = rest.astype(np.float32)
        with warnings.catch_warnings(), one_thread():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return model.fit(X.astype(np.float32), wanted if rest.shape[1] > 1 else wanted[:, 0])
