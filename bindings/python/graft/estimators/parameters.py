"""Parameters of an estimator, as scikit-learn's functions read and set them."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from importlib import import_module
from typing import Any, TypeVar

from ..errors import invalid, not_fitted

Self = TypeVar("Self", bound="Estimator")


@dataclass(repr=False, eq=False)
class Estimator:
    """Its parameters are the fields of its dataclass, and nothing is made of them before ``fit``:
    so scikit-learn clones it and searches grids of its parameters."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters that it was made with, by their names.

        :param deep: there are none of estimators inside it: both are the same.
        """
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def set_params(self: Self, **parameters: Any) -> Self:
        """Sets some of the parameters, which the next ``fit`` uses."""
        known = self.get_params()
        for name, value in parameters.items():
            if name not in known:
                raise invalid(f"{type(self).__name__} has no parameter {name!r}; it has {', '.join(known)}")
            setattr(self, name, value)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return getattr(self, "_fitted", None) is not None

    def _require_fit(self) -> None:
        if not self.__sklearn_is_fitted__():
            raise not_fitted(type(self).__name__)

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn, 1.6 or newer, wants to know of it."""
        utils = scikit_learn_utils()
        return utils.Tags(
            estimator_type=None,
            target_tags=utils.TargetTags(required=True),
            input_tags=utils.InputTags(one_d_array=True, two_d_array=False, string=True),
        )

    def __repr__(self) -> str:
        """As it may be made again: the parameters that are not the default."""
        given = [
            (field, value)
            for field in fields(self)
            if field.default is MISSING or not _is(getattr(self, field.name), field.default)
            for value in [getattr(self, field.name)]
        ]
        words = [repr(value) if field.default is MISSING else f"{field.name}={value!r}" for field, value in given]
        return f"{type(self).__name__}({', '.join(words)})"


def scikit_learn_utils() -> Any:
    """The module in which scikit-learn, which asks for them, has its tags."""
    return import_module("sklearn.utils")


def _is(value: object, default: object) -> bool:
    """Whether a parameter has its default; those of others' types may have their own ideas of
    equality."""
    return value is default or (type(value) is type(default) and bool(value == default))
