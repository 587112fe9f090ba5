"""The world as an outside script must know it, so that it can act as anyone in it."""

from typing import Any

from businesses.models import RegisterEntity
from ccp.seed.ground import PROGRAMS
from ccp.seed.world import PASSWORD, Firm, World


def told(world: World) -> dict[str, Any]:
    """The whole world in plain values: amounts and instants as text."""
    return {
        "seed": world.seed,
        "at": world.at.isoformat(),
        "password": PASSWORD,
        "businesses": [_firm(world, firm) for firm in world.firms],
        "unregistered": [
            _on_file(world, place, entity)
            for place, entity in enumerate(world.on_file)
            if place >= world.businesses
        ],
        "people": [
            {
                "email": person.email,
                "password": PASSWORD,
                "given_name": person.first_name,
                "family_name": person.last_name,
                "language": str(person.language),
                "is_active": person.is_active,
                "bn9": firm.bn9,
                "part": part,
            }
            for firm in world.firms
            for part, person in firm.people.items()
        ],
        **world.told,
    }


def _firm(world: World, firm: Firm) -> dict[str, Any]:
    return _on_file(world, firm.place, firm.entity) | {
        "status": str(firm.account.status),
        "marker": firm.marker,
        "managers": [
            firm.people[part].email for part in ("founder", "second") if part in firm.people
        ],
    }


def _on_file(world: World, place: int, entity: RegisterEntity) -> dict[str, Any]:
    """What the register knows, with the true answers to the security questions."""
    return {
        "bn9": entity.bn9,
        "legal_name": entity.legal_name,
        "operating_name": entity.operating_name,
        "street": entity.street,
        "city": entity.city,
        "region": entity.region,
        "postal_code": entity.postal_code,
        "country": entity.country,
        "provider_type": entity.provider_type,
        "programs": [f"RM{number:04}" for number in range(1, PROGRAMS[place % 10] + 1)],
        "answers": world.answers.get(entity.bn9),
    }
