"""The document of `GET /spec`: valid, complete, and true of whatever a client sends."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import validate
from schemathesis.specs.openapi import checks
from support.serving import RunningServer

from mtcli.serve.application import INTERFACES
from mtcli.serve.spec import document


def test_the_document_is_valid_and_has_every_operation(server: RunningServer) -> None:
    found = server.ask("GET", "/spec").json()
    validate(found)
    described = {(method.upper(), path) for path, methods in found["paths"].items() for method in methods}
    operations = {(one.method, one.path) for interface in INTERFACES for one in interface.operations}
    assert described == operations
    assert found == document(INTERFACES)


def test_no_two_kinds_of_values_share_a_name() -> None:
    kinds = {one.takes for interface in INTERFACES for one in interface.operations}
    assert len({kind.__name__ for kind in kinds}) == len(kinds)


@pytest.mark.slow
@pytest.mark.parametrize("interface", [one.name for one in INTERFACES])
def test_whatever_is_sent_there_is_no_bug(interface: str, server: RunningServer) -> None:
    schema = schemathesis.openapi.from_url(f"{server.url}/spec").include(tag=interface)
    kept = [checks.response_schema_conformance, checks.status_code_conformance, checks.content_type_conformance]
    number = 0
    for result in schema.get_all_operations():
        number += 1

        @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=result.ok().as_strategy())
        def ask(case: schemathesis.Case) -> None:
            response = case.call()
            assert response.status_code != 500, response.text
            case.validate_response(response, checks=kept)

        ask()
    assert number == len(next(one for one in INTERFACES if one.name == interface).operations)
