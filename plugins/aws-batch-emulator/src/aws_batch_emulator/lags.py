"""How late things are told (decision 73)."""

from dataclasses import asdict, dataclass

from aws_batch_emulator.settings import Settings


@dataclass(slots=True)
class Lags:
    """Seconds by which lists, arrays and logs lag behind; may be set while the emulator runs."""

    lists_s: float
    arrays_s: float
    logs_s: float

    @classmethod
    def of(cls, settings: Settings) -> "Lags":
        """Return those an emulator starts with."""
        return cls(settings.lag_s, settings.summary_lag_s, settings.log_lag_s)

    def set(self, **lags_s: float) -> dict[str, float]:
        """Set some of them, those of logs for streams that are opened from now on."""
        before = asdict(self)
        if unknown := lags_s.keys() - before.keys():
            raise ValueError(f"{', '.join(sorted(unknown))}: no lag of {', '.join(before)}")
        if any(lag_s < 0 for lag_s in lags_s.values()):
            raise ValueError(f"a lag must not be negative: {lags_s}")
        for name, lag_s in lags_s.items():
            setattr(self, name, float(lag_s))
        return before
