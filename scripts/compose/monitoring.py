"""What Prometheus is held to: it finds the server, and its alerts are there and fire."""

import re

from compose.asking import eventually, expect, request
from compose.command import ROOT


def told(path):
    """What Prometheus's own API says there."""
    status, _, body = request(9090, "GET", f"/api/v1/{path}")
    expect("status", (status, body["status"]), (200, "success"))
    return body["data"]


def check_target():
    def found():
        targets = [(target["scrapeUrl"], target["health"]) for target in told("targets")["activeTargets"]]
        return targets == [("http://server:9464/metrics", "up")] or targets

    eventually("the server is found", found)
    expect("servers that tell their version", len(told("query?query=grtc_build_info")["result"]), 1)


def check_rules():
    written = re.findall(r"- alert: (\w+)", (ROOT / "deploy/prometheus/alerts.yml").read_text())

    def loaded():
        rules = {rule["name"]: rule["health"] for group in told("rules")["groups"] for rule in group["rules"]}
        return rules == dict.fromkeys(written, "ok") or rules

    eventually("all alerts are loaded and looked at", loaded)


def check_down_fires():
    """Some time after the server has gone."""
    def fires():
        alerts = [(alert["labels"]["alertname"], alert["labels"]["instance"], alert["state"]) for alert in told("alerts")["alerts"]]
        return ("GrtcDown", "server:9464", "firing") in alerts or alerts

    eventually("GrtcDown fires", fires, seconds=150)


def checks():
    yield "Prometheus has found the server", check_target
    yield "Prometheus has the alerts", check_rules
