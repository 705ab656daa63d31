"""Every call of the vendor's client that the emulator has. The client takes any answer as it is;
here each is held against the model that the client has for it, members it does not know included.
"""

import importlib
import json
import os
import re

import httpx
import pydantic
from brevo import Brevo

FAMILIES = ("account", "companies", "contacts", "custom_objects", "deals", "process", "webhooks")


def unknown_members(value, place=""):
    """Where an answer has a member that its model has not; attributes are anybody's."""
    if isinstance(value, (list, tuple)):
        for one in value:
            yield from unknown_members(one, f"{place}[]")
    elif isinstance(value, pydantic.BaseModel):
        if place.endswith("attributes"):
            return
        for name in value.model_extra or {}:
            yield f"{place}.{name}"
        for name in type(value).model_fields:
            yield from unknown_members(getattr(value, name), f"{place}.{name}")


def checked(type_, object_):
    answer = pydantic.TypeAdapter(type_).validate_python(object_)
    extra = sorted(set(unknown_members(answer)))
    if extra:
        raise ValueError(f"unknown members {extra}")
    return answer


for family in FAMILIES:
    client = importlib.import_module(f"brevo.{family}.raw_client")
    known = client.construct_type
    client.construct_type = lambda *, type_, object_, known=known: (
        checked(type_, object_) if "Error" not in str(type_) else known(type_=type_, object_=object_)
    )

url = os.environ["API_URL"]
sdk = Brevo(api_key="demo-key", base_url=url)
plain = httpx.Client(base_url=url, headers={"api-key": "demo-key"})
right = 0
wrong = {}


def see(name, call, expected=lambda _: True):
    global right
    try:
        answer = call()
        if not expected(answer):
            raise ValueError(f"unexpected: {answer}")
        right += 1
        return answer
    except Exception as error:
        words = re.sub(r"\s+", " ", str(error))
        wrong[name] = f"{type(error).__name__}: {words[:600]}"


see("account", sdk.account.get_account, lambda a: a.organization_id)

people = sdk.contacts
mail = "py@clients.example"
see("attributes", people.get_attributes, lambda a: len(a.attributes) > 10)
see("contacts", lambda: people.get_contacts(limit=30, sort="asc"), lambda a: len(a.contacts) == 30)
since = "2026-01-01T00:00:00.000Z"
see("contacts since", lambda: people.get_contacts(modified_since=since, created_since=since), lambda a: 0 < a.count < 40)
see("contacts by ids", lambda: people.get_contacts(ids=[1, 2]), lambda a: a.count == 2)
see("contacts by lists", lambda: people.get_contacts(list_ids=[1, 2]), lambda a: a.count > 0)
made = see(
    "create",
    lambda: people.create_contact(
        email=mail,
        ext_id="py-1",
        attributes={"FIRSTNAME": "Py", "SMS": "+33698765432", "SCORE": 1.5, "INTERESTS": ["Music"]},
        list_ids=[1],
        email_blacklisted=True,
    ),
    lambda a: a.id > 0,
)
by_name = 'equals(FIRSTNAME,"Py")'
see("contacts by attribute", lambda: people.get_contacts(filter=by_name), lambda a: a.contacts[0].id == made.id)
see("create again", lambda: people.create_contact(email=mail))
see("create or update", lambda: people.create_contact(email=mail, update_enabled=True), lambda a: a is None)
for kind, value in (
    ("contact_id", made.id),
    ("email_id", mail),
    ("ext_id", "py-1"),
    ("phone_id", "33698765432"),
):
    see(
        f"contact by {kind}",
        lambda: people.get_contact_info(value, identifier_type=kind),
        lambda a: a.id == made.id and a.email_blacklisted and a.list_ids == [1],
    )
see(
    "update",
    lambda: people.update_contact(
        made.id,
        identifier_type="contact_id",
        ext_id="py-2",
        attributes={"EMAIL": "py2@clients.example", "NEWSLETTER": True},
        unlink_list_ids=[1],
        list_ids=[2],
    ),
)
see(
    "updated",
    lambda: people.get_contact_info("py-2", identifier_type="ext_id"),
    lambda a: a.email == "py2@clients.example" and not a.email_blacklisted and a.list_ids == [2],
)
see("batch", lambda: people.update_batch_contacts(contacts=[]))

see("lists", lambda: people.get_lists(limit=5, sort="asc"), lambda a: a.count == 3)
see("lists of a folder", lambda: people.get_folder_lists(1), lambda a: a.count == 3)
news = see("list create", lambda: people.create_list(folder_id=1, name="Py"))
see("list", lambda: people.get_list(news.id), lambda a: a.name == "Py")
see("list update", lambda: people.update_list(news.id, name="Py 2"))
members = {"emails": ["py2@clients.example"]}
see("list add", lambda: people.add_contact_to_list(news.id, request=members), lambda a: len(a.contacts.success) == 1)
see("list members", lambda: people.get_contacts_from_list(news.id), lambda a: a.contacts[0].id == made.id)
members = {"extIds": ["py-2"]}
see("list remove", lambda: people.remove_contact_from_list(news.id, request=members), lambda a: a.contacts.total == 1)
rows = [{"email": "imported@clients.example", "attributes": {"FIRSTNAME": "Im"}}, {"email": "none"}]
work = see("import", lambda: people.import_contacts(json_body=rows, list_ids=[news.id]))
see(
    "import done",
    lambda: sdk.process.get_process(work.process_id),
    lambda a: a.status == "completed" and a.info.import_.invalid_emails,
)
see("list delete", lambda: people.delete_list(news.id))

company_of = sdk.companies
see("company attributes", company_of.get_company_attributes, lambda a: len(a) > 5)
acme = see(
    "company create",
    lambda: company_of.create_a_company(
        name="Py", attributes={"industry": "food", "phone_number": 698765432}, country_code=33, linked_contacts_ids=[1]
    ),
)
see("company", lambda: company_of.get_a_company(acme.id), lambda a: a.linked_contacts_ids == [1])
see("companies", lambda: company_of.get_all_companies(page=1, limit=3), lambda a: len(a.items) == 3)
see("companies by name", lambda: company_of.get_all_companies(filters_attributes_name="Py"), lambda a: len(a.items) == 1)
see("companies by link", lambda: company_of.get_all_companies(linked_contacts_ids=1), lambda a: len(a.items) > 0)
see(
    "companies since",
    lambda: company_of.get_all_companies(modified_since=since, sort="asc", sort_by="name"),
    lambda a: len(a.items) > 1,
)
see(
    "company update",
    lambda: company_of.update_a_company(acme.id, attributes={"revenue": 5}, linked_contacts_ids=[2]),
)
see("company updated", lambda: company_of.get_a_company(acme.id), lambda a: a.linked_contacts_ids == [2])

deal_of = sdk.deals
see("deal attributes", deal_of.get_deal_attributes, lambda a: len(a) > 5)
pipelines = see("pipelines", deal_of.get_all_pipelines, lambda a: len(a) == 2)
place = {"pipeline": pipelines[0].pipeline, "deal_stage": pipelines[0].stages[2].id}
see("pipeline", lambda: deal_of.get_a_pipeline(place["pipeline"]), lambda a: a[0].pipeline_name == "Sales")
deal = see(
    "deal create",
    lambda: deal_of.create_a_deal(name="Py", attributes={"amount": 5.5, **place}, linked_companies_ids=[acme.id]),
)
see("deal", lambda: deal_of.get_a_deal(deal.id), lambda a: a.attributes["amount"] == 5.5)
see("deals", lambda: deal_of.get_all_deals(offset=1, limit=3), lambda a: len(a.items) == 3)
for name, filters in (
    ("name", {"filters_attributes_deal_name": "Py"}),
    ("stage", {"filters_attributes_deal_stage": place["deal_stage"], "filters_attributes_deal_name": "Py"}),
    ("pipeline", {"filters_attributes_pipeline": place["pipeline"], "filters_attributes_deal_name": "Py"}),
    ("link", {"filters_linked_companies_ids": acme.id}),
):
    see(f"deals by {name}", lambda: deal_of.get_all_deals(**filters), lambda a: [d.id for d in a.items] == [deal.id])
won = {**place, "deal_stage": pipelines[0].stages[3].id}
see("deal update", lambda: deal_of.update_a_deal(deal.id, attributes=won, linked_contacts_ids=[3]))
see(
    "deal links",
    lambda: deal_of.link_and_unlink_a_deal_with_contacts_and_companies(
        deal.id, link_contact_ids=[4], unlink_contact_ids=[3], unlink_company_ids=[acme.id]
    ),
)
see("deal linked", lambda: deal_of.get_a_deal(deal.id), lambda a: a.linked_contacts_ids == [4] and a.linked_companies_ids == [])
see(
    "company links",
    lambda: company_of.link_and_unlink_company_with_contact_and_deal(
        acme.id, link_contact_ids=[5], unlink_contact_ids=[2], link_deals_ids=[deal.id]
    ),
)
see("company linked", lambda: company_of.get_a_company(acme.id), lambda a: a.linked_deals_ids == [deal.id])

objects = sdk.custom_objects
job = see(
    "upsert",
    lambda: objects.upsertrecords(
        "vehicle",
        records=[
            {
                "identifiers": {"ext_id": f"py-{n}"},
                "attributes": {"plate": f"PY-{n}", "colour": "red", "features": ["sunroof"]},
                "associations": [
                    {"object_type": "contact", "action": "link", "records": [{"identifiers": {"id": made.id}}]},
                    {"object_type": "company", "records": [{"identifiers": {"ext_id": acme.id}}]},
                ],
            }
            for n in (1, 2)
        ],
    ),
)
see("process", lambda: sdk.process.get_process(job.process_id), lambda a: a.status == "completed")
see("processes", lambda: sdk.process.get_processes(limit=5, offset=0, sort="desc"), lambda a: a.count == 2)
records = see(
    "records",
    lambda: objects.getrecords("vehicle", limit=2, page_num=1, sort="desc", association="true"),
    lambda a: a.records[0].identifiers.ext_id == "py-2" and len(a.records[0].associations) == 2,
)
see(
    "associated",
    lambda: objects.get_associated_records("vehicle", ext_id="py-2", type=["contact", "company"]),
    lambda a: len(a.items) == 2 and not a.has_more,
)
see(
    "associated by e-mail",
    lambda: objects.get_associated_records("contact", email="py2@clients.example", offset=0),
    lambda a: {one.object.ext_id for one in a.items} == {"py-1", "py-2"},
)
see(
    "associated by number",
    lambda: objects.get_associated_records("contact", sms="+33698765432"),
    lambda a: len(a.items) == 2,
)
identifiers = records.records[0].identifiers
see("batch delete", lambda: objects.batch_delete_object_records("vehicle", identifiers={"ids": [identifiers.id]}))
see("batch delete by ext_id", lambda: objects.batch_delete_object_records("vehicle", identifiers={"ext_ids": ["py-1"]}))
see(
    "deleted",
    lambda: objects.getrecords("vehicle", limit=1, page_num=1),
    lambda a: a.records[0].identifiers.ext_id.startswith("VIN"),
)
see("records of a standard object", lambda: objects.getrecords("contact", limit=1, page_num=1))

hook = see(
    "webhook create",
    lambda: sdk.webhooks.create_webhook(
        url="https://clients.example/py",
        type="marketing",
        events=["contactUpdated", "contactDeleted", "listAddition"],
        auth={"type": "bearer", "token": "secret"},
        headers=[{"key": "x-from", "value": "brevo"}],
        batched=True,
    ),
)
see("webhooks", lambda: sdk.webhooks.get_webhooks(type="marketing", sort="asc"), lambda a: len(a.webhooks) == 1)
see("webhook", lambda: sdk.webhooks.get_webhook(hook.id), lambda a: a.type == "marketing")
see("webhook update", lambda: sdk.webhooks.update_webhook(hook.id, url="https://clients.example/py2"))
see("webhook delete", lambda: sdk.webhooks.delete_webhook(hook.id))

see("deal delete", lambda: deal_of.delete_a_deal(deal.id))
see("company delete", lambda: company_of.delete_a_company(acme.id))
see("company gone", lambda: company_of.get_a_company(acme.id))
see("contact delete", lambda: people.delete_contact(made.id, identifier_type="contact_id"))
see("contact gone", lambda: people.get_contact_info(made.id, identifier_type="contact_id"))
print(json.dumps({"right": right, "wrong": wrong}))
