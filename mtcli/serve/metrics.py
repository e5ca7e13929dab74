"""Numbers for Prometheus: what was asked, what was done, what is under way, what it takes."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mtcli.serve.models import ServedModel
from mtcli.serve.service import TranslationService

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """Counts requests, and reads off the rest where Prometheus asks."""

    def __init__(self, service: TranslationService) -> None:
        """Tell of this service."""
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "mtcli_requests", "Answers, by interface and status.", ["interface", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "mtcli_request_seconds",
            "Seconds from a request's arrival to its answer.",
            ["interface"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._registry.register(_ServiceCollector(service))
        ProcessCollector(registry=self._registry)

    def count(self, interface: str, status: int, seconds: float) -> None:
        """Note an answer; status 499 is one that its client did not wait for."""
        self._requests.labels(interface, str(status)).inc()
        self._seconds.labels(interface).observe(seconds)

    def text(self) -> bytes:
        """Everything, in Prometheus's format."""
        return generate_latest(self._registry)


class _ServiceCollector(Collector):
    """What the service knows of itself."""

    def __init__(self, service: TranslationService) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        admission, models = self._service.admission, list(self._service.models)
        yield GaugeMetricFamily("mtcli_queue_lines", "Lines under way.", admission.under_way)
        yield GaugeMetricFamily("mtcli_queue_lines_max", "Lines that may be under way at once.", admission.most)
        yield GaugeMetricFamily("mtcli_queue_requests", "Requests whose lines are under way.", admission.requests)
        yield from self._by_model("loaded", "1 where the model is in memory.", models)
        yield from self._by_model("slots_used", "Sentences that the engines are decoding.", models)
        yield from self._by_model("slots_waiting", "Sentences that wait for an engine.", models)
        for name, text in _WORK.items():
            counter = CounterMetricFamily(f"mtcli_{name}", text, labels=["model"])
            for model in models:
                loaded = getattr(model.translator.work, name) if model.translator else 0
                counter.add_metric([model.name], getattr(model.work, name) + loaded)
            yield counter

    @staticmethod
    def _by_model(name: str, text: str, models: list[ServedModel]) -> Iterator[Metric]:
        gauge = GaugeMetricFamily(f"mtcli_model_{name}", text, labels=["model"])
        for model in models:
            gauge.add_metric([model.name], _STATE[name](model))
        yield gauge


def _in_work(model: ServedModel) -> float:
    return float(model.translator.load.in_work) if model.translator else 0.0


def _waiting(model: ServedModel) -> float:
    return float(model.translator.load.waiting) if model.translator else 0.0


_STATE = {
    "loaded": lambda model: float(model.translator is not None),
    "slots_used": _in_work,
    "slots_waiting": _waiting,
}
_WORK = {
    "parts": "Sentences, or pieces of over-long ones, that were to be translated.",
    "decoded": "Sentences that were decoded; equal ones of a request are once.",
    "source_tokens": "Tokens of decoded sentences.",
    "target_tokens": "Tokens of their translations.",
    "repaired": "Lines whose translation was at fault and was repaired.",
    "flagged": "Lines whose translation is at fault, as far as checks can see.",
}
