"""Every call is checked by the models of the published OpenAPI that the client was made from.

What live answers are known to break of them is mended on the way, and nothing else: ids of system
actors, codes of currencies and of countries may be null.
"""

import json
import os
import re

import httpx
from attio import SDK

SOME_ID = "11111111-1111-4111-8111-111111111111"
NULLS = {
    "id": SOME_ID,
    "default_currency_code": "USD",
    "currency_code": "USD",
    "display_type": "symbol",
    "country_code": "US",
}


def mended(value):
    if isinstance(value, list):
        return [mended(one) for one in value]
    if isinstance(value, dict):
        return {k: NULLS[k] if v is None and k in NULLS else mended(v) for k, v in value.items()}
    return value


class Mending(httpx.HTTPTransport):
    def handle_request(self, request):
        answer = super().handle_request(request)
        answer.read()
        kept = {k: v for k, v in answer.headers.items() if k.lower() == "content-type"}
        return httpx.Response(answer.status_code, headers=kept, json=mended(answer.json()))


url = os.environ["API_URL"]
sdk = SDK(oauth2="demo-key", server_url=url, client=httpx.Client(transport=Mending()))
plain = httpx.Client(base_url=f"{url}/v2", headers={"Authorization": "Bearer demo-key"})
right = 0
wrong = {}


def see(name, call):
    global right
    try:
        answer = call()
        right += 1
        return answer
    except Exception as error:
        words = re.sub(r"\s+", " ", str(error))
        wrong[name] = f"{type(error).__name__}: {words[:300]}"


see("self", lambda: sdk.meta.get_v2_self())
see("objects", lambda: sdk.objects.get_v2_objects())
see("members", lambda: sdk.workspace_members.get_v2_workspace_members())
by_creation = [{"attribute": "created_at", "direction": "asc"}]
of_attributes = sdk.attributes
of_records = sdk.records
for o in ("people", "companies", "deals", "projects"):
    on = {"target": "objects", "identifier": o}
    see(o, lambda: sdk.objects.get_v2_objects_object_(object=o))
    see(f"{o} attributes", lambda: of_attributes.get_v2_target_identifier_attributes(**on, show_archived=True))
    see(f"{o} query", lambda: of_records.post_v2_objects_object_records_query(object=o, limit=30, sorts=by_creation))
    first = plain.post(f"/objects/{o}/records/query", json={"limit": 1}).json()["data"][0]
    record = {"object": o, "record_id": first["id"]["record_id"]}
    see(f"{o} record", lambda: of_records.get_v2_objects_object_records_record_id_(**record))
    for attribute in plain.get(f"/objects/{o}/attributes").json()["data"]:
        slug = attribute["api_slug"]
        one = {**on, "attribute": slug}
        see(f"{o}.{slug}", lambda: of_attributes.get_v2_target_identifier_attributes_attribute_(**one))
        see(
            f"{o}.{slug} values",
            lambda: of_records.get_v2_objects_object_records_record_id_attributes_attribute_values(
                **record, attribute=slug
            ),
        )
        if attribute["type"] == "select":
            see(f"{o}.{slug} options", lambda: of_attributes.get_v2_target_identifier_attributes_attribute_options(**one))
        if attribute["type"] == "status":
            see(f"{o}.{slug} statuses", lambda: of_attributes.get_v2_target_identifier_attributes_attribute_statuses(**one))

mails = [{"email_addresses": [f"py{n}@clients.example"]} for n in (1, 2)]
made = [
    see(f"create {n}", lambda: of_records.post_v2_objects_object_records(object="people", data={"values": mail}))
    for n, mail in enumerate(mails)
]
ids = [one.data.id.record_id for one in made]
primary = {"object": "people", "record_id": ids[0]}
text = {"values": {"description": ["Written by id"]}}
see("patch", lambda: of_records.patch_v2_objects_object_records_record_id_(**primary, data=text))
see("put", lambda: of_records.put_v2_objects_object_records_record_id_(**primary, data=text))
upsert = {"values": {**mails[0], "description": ["Upserted"]}}
see(
    "upsert",
    lambda: of_records.put_v2_objects_object_records(
        object="people", matching_attribute="email_addresses", data=upsert
    ),
)
see("taken", lambda: of_records.post_v2_objects_object_records(object="people", data={"values": mails[0]}))
pair = {"primary_record_id": ids[0], "secondary_record_id": ids[1]}
merged = see("merge", lambda: of_records.post_v2_objects_object_records_merge(object="people", data=pair))
see("merged away", lambda: of_records.get_v2_objects_object_records_record_id_(**primary))
survivor = merged.data.new_record_id
see("delete", lambda: of_records.delete_v2_objects_object_records_record_id_(object="people", record_id=survivor))

events = [{"event_type": event, "filter": None} for event in ("record.created", "record.merged")]
wanted = {"target_url": "https://clients.example/py", "subscriptions": events}
hook = see("webhook create", lambda: sdk.webhooks.post_v2_webhooks(data=wanted))
see("webhook again", lambda: sdk.webhooks.post_v2_webhooks(data=wanted))
hook_id = hook.data.id.webhook_id
moved = {"target_url": "https://clients.example/py2"}
see("webhooks", lambda: sdk.webhooks.get_v2_webhooks())
see("webhook", lambda: sdk.webhooks.get_v2_webhooks_webhook_id_(webhook_id=hook_id))
see("webhook patch", lambda: sdk.webhooks.patch_v2_webhooks_webhook_id_(webhook_id=hook_id, data=moved))
see("webhook delete", lambda: sdk.webhooks.delete_v2_webhooks_webhook_id_(webhook_id=hook_id))
print(json.dumps({"right": right, "wrong": wrong}))
