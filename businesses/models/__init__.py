"""The records of this room: accounts in use here, and the sandbox copy of the CRA register."""

from businesses.models.accounts import (
    BusinessAccount,
    ProgramAccount,
    ProgramGroup,
    ProgramGroupMember,
)
from businesses.models.register import (
    RegisterEntity,
    RegisterPayment,
    RegisterProgram,
    RegisterStatement,
    RegisterTransaction,
)

__all__ = [
    "BusinessAccount",
    "ProgramAccount",
    "ProgramGroup",
    "ProgramGroupMember",
    "RegisterEntity",
    "RegisterPayment",
    "RegisterProgram",
    "RegisterStatement",
    "RegisterTransaction",
]
