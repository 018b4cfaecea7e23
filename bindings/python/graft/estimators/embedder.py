"""Vectors of texts."""

from __future__ import annotations

import os
from dataclasses import KW_ONLY, dataclass
from importlib import import_module
from typing import Any, Literal

from ..adapter import Adapter
from ..errors import invalid
from ..model import Precision
from ..session import Pooling
from .arrays import Texts, array
from .base import Fitted, opened
from .parameters import Estimator, scikit_learn_utils


@dataclass(repr=False, eq=False)
class Embedder(Estimator):
    """Makes a vector of each text, or pair of texts: a transformer as scikit-learn's, which it
    needs not. Nothing is learned in ``fit``.

    >>> sklearn.pipeline.make_pipeline(graft.Embedder("path/of/a/model"), LogisticRegression())
    """

    #: Folder of the base model. Estimators of one folder share it.
    model: str | os.PathLike[str]
    _: KW_ONLY
    #: Folder of an adapter whose embedding it is to be; None: the base model's.
    adapter: str | os.PathLike[str] | None = None
    #: As of :meth:`Session.embed`.
    pooling: Pooling | None = None
    #: As of :meth:`Session.embed`.
    normalize: bool | None = None
    #: As of :meth:`Session.embed`.
    prompt_name: str | None = None
    #: Of the base model.
    precision: Precision = "float32"
    #: Tokens at which texts are cut; 0: as of :class:`Session`.
    maximum_length: int = 0
    #: 0: one per core. Results do not depend on it.
    threads: int = 0

    def fit(self, X: Any = None, y: Any = None) -> Embedder:
        """Opens the base model and the adapter; the texts are not looked at."""
        base = opened(self.model, self.precision)
        self._fitted = Fitted(base, None if self.adapter is None else Adapter.load(base.model, self.adapter))
        return self

    def transform(self, X: Any) -> Any:
        """The vectors, [texts, width]."""
        self._require_fit()
        texts = Texts(X)
        session = self._fitted.session(self.model, self.precision, self.threads, self.maximum_length)
        vectors = session.embed(texts.firsts, texts.seconds, self.pooling, self.normalize, prompt_name=self.prompt_name)
        return self._framed(array(vectors), X)

    def set_output(self, *, transform: Literal["default", "pandas", "polars"] | None = None) -> Embedder:
        """As of scikit-learn's transformers.

        :param transform: what the vectors come as: an array, or a frame of pandas or Polars; None:
            as before.
        """
        if transform not in (None, "default", "pandas", "polars"):
            raise invalid(f"transform: expected default, pandas or polars; found {transform!r}")
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}  # the name that clones keep
        return self

    def _framed(self, vectors: Any, X: Any) -> Any:
        kind = getattr(self, "_sklearn_output_config", {}).get("transform", "default")
        if kind == "default":
            return vectors
        names = self.get_feature_names_out()
        frames = import_module(kind)
        if kind == "pandas":
            return frames.DataFrame(vectors, columns=names, index=getattr(X, "index", None))
        return frames.DataFrame(vectors, schema=list(names))

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Both."""
        return self.fit(X, y).transform(X)

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Names of the vectors' columns.

        :param input_features: not looked at.
        """
        self._require_fit()
        model = self._fitted.open(self.model, self.precision)[0].model
        width = model.embedding_size if self.pooling is None else model.hidden_size
        return array([f"embedder{column}" for column in range(width)], object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.estimator_type = "transformer"
        tags.target_tags.required = False
        tags.transformer_tags = scikit_learn_utils().TransformerTags(preserves_dtype=[])
        return tags
