"""Every error Glaze raises, each with a stable code.

GlazeError
├── SettingsError            a setting is unknown, malformed or out of bounds
├── InputError               the caller's input cannot be used; says what, where, and what to do
│   ├── UnknownField         a field name that is not in the schema
│   ├── UnknownKind          a job kind that no installed package offers
│   ├── KindInternal         jobs of this kind are made by the product alone
│   ├── PersonSuppressed     about this person nothing is kept or bought
│   ├── ArgsInvalid          a job's arguments or options; says where each fault is
│   ├── NotFound             nothing of that id in this workspace
│   ├── RecordNotFound       a record of the caller's that was never given, and no input with it
│   ├── IdempotencyConflict  the same idempotency key was sent with another body
│   ├── JobStateConflict     the job is not in a state that allows this
│   ├── BatchStateConflict   the batch is not in a state that allows this
│   ├── KeyReplaced          the key was rotated before, and its successor is in use
│   ├── EditConflict         somebody else changed it since it was read
│   ├── ScheduleBusy         the schedule's last job has not ended, and its jobs do not overlap
│   ├── RowsInvalid          rows of a table that cannot be used; says which, where and why
│   ├── UploadTooLarge       more bytes than an upload may have
│   ├── SearchStateConflict  the search is not in a state that allows this
│   ├── CreditShort          the workspace's credit does not cover it
│   ├── ConfirmationNeeded   it would be paid for, and nobody has said how much it may cost
│   └── UnreadableFile       a file that is missing, empty or of no known format
├── AccessError              whoever asks may not
│   ├── KeyRefused           no key, or one that is unknown, revoked or expired
│   ├── ScopeMissing         the key is good, but not for this
│   ├── RoleRefused          a member's role is not theirs to change
│   ├── LoginRefused         no such member or invitation, or another password
│   ├── CsrfRefused          a change that no page of ours asked for
│   ├── OriginRefused        a page of an origin that may not ask
│   └── TooManyRequests      the key's limit of requests is used up for now
├── SecretError              a vendor's key cannot be sealed, or not be read
│   ├── SecretsUnavailable   there is no key-encryption key, or who has it does not answer
│   └── SecretUnreadable     it was moved or changed, or its key-encryption key is not given
├── StoreError               the database refused or is not there
│   ├── StoreUnavailable     cannot be reached, or is shutting down; worth another try
│   │   └── CommitUnknown    it went away while a transaction was being committed
│   ├── StoreRefused         a value cannot be stored; asking again would end the same
│   └── SchemaMismatch       the database is newer or older than this code
├── ProviderError            a provider broke its contract; nothing more is sent for it
└── FetchError               an outward request did not end in a usable answer
    ├── AddressRefused       the guard refused where the URL leads
    ├── BodyTooLarge         more decoded bytes than allowed
    ├── FetchTimeout         the whole-call deadline passed
    ├── HeldBack             its turn at the vendor was gone before the request could leave
    └── ConnectFailed        no connection, no name, or it broke off; ``sent`` says whether bytes left
        └── NoSuchHost       the name has no address: nobody is there
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class GlazeError(Exception):
    """Base of all errors that Glaze raises on purpose."""

    code = "glaze_error"


class SettingsError(GlazeError):
    """A setting is unknown, malformed or out of bounds."""

    code = "settings_invalid"


class InputError(GlazeError):
    """The caller's input cannot be used."""

    code = "input_invalid"


class UnknownField(InputError):
    """A field name that is not in the schema."""

    code = "field_unknown"


class UnknownKind(InputError):
    """A job kind that no installed package offers."""

    code = "kind_unknown"


class KindInternal(InputError):
    """Jobs of this kind are made by the product alone, never asked for."""

    code = "kind_internal"


class SearchStateConflict(InputError):
    """The search is not in a state that allows this."""

    code = "search_state_conflict"


class CreditShort(InputError):
    """The workspace's credit does not cover what it would cost."""

    code = "credit_short"


class PersonSuppressed(InputError):
    """Somebody is named about whom nothing is kept or bought."""

    code = "person_suppressed"


class Fault(NamedTuple):
    """One thing that is wrong, and where: ``emails.0``, or "" for the whole."""

    path: str
    message: str

    def __str__(self) -> str:
        """Return both on one line."""
        return f"{self.path}: {self.message}" if self.path else self.message


class ArgsInvalid(InputError):
    """A job's arguments or options cannot be used; ``faults`` says where and why."""

    code = "args_invalid"

    def __init__(self, kind: str, faults: Sequence[Fault]) -> None:
        """Keep the faults, for whoever shows them beside what was entered."""
        super().__init__(f"{kind}: {'; '.join(map(str, faults))}")
        self.faults = tuple(faults)


class NotFound(InputError):
    """Nothing of that id in this workspace."""

    code = "not_found"


class RecordNotFound(InputError):
    """A record of the caller's that was never given, and no input with it."""

    code = "record_not_found"


class UnreadableFile(InputError):
    """A file that is missing, empty or of no known format."""

    code = "file_unreadable"


class IdempotencyConflict(InputError):
    """The same idempotency key was sent with another body."""

    code = "idempotency_conflict"


class RowsInvalid(InputError):
    """Rows of a table that cannot be used; ``faults`` says which, where and why."""

    code = "rows_invalid"

    def __init__(self, message: str, faults: Sequence[Fault]) -> None:
        """Keep the faults: their paths are ``rows.<number>.<column>``."""
        super().__init__(message)
        self.faults = tuple(faults)


class UploadTooLarge(InputError):
    """More bytes than an upload may have."""

    code = "upload_too_large"


class ConfirmationNeeded(InputError):
    """It would be paid for, and nobody has said how much it may cost; ``quote`` tells what it would."""

    code = "confirmation_needed"

    def __init__(self, message: str, quote: Mapping[str, int]) -> None:
        """Keep the quote: figures by name."""
        super().__init__(message)
        self.quote = quote


class JobStateConflict(InputError):
    """The job is not in a state that allows this."""

    code = "job_state_conflict"


class BatchStateConflict(InputError):
    """The batch is not in a state that allows this."""

    code = "batch_state_conflict"


class ScheduleBusy(InputError):
    """The schedule's last job has not ended, and its jobs do not overlap."""

    code = "schedule_busy"


class KeyReplaced(InputError):
    """The key was rotated before, and its successor is in use."""

    code = "key_replaced"


class EditConflict(InputError):
    """Somebody else changed it since it was read: read it again."""

    code = "edit_conflict"


class AccessError(GlazeError):
    """Whoever asks may not."""

    code = "access_refused"


class KeyRefused(AccessError):
    """No key, or one that is unknown, revoked or expired."""

    code = "key_refused"


class ScopeMissing(AccessError):
    """The key is good, but not for this."""

    code = "scope_missing"


class OriginRefused(AccessError):
    """A page of an origin that may not ask."""

    code = "origin_refused"


class RoleRefused(AccessError):
    """A member's role is not theirs to change."""

    code = "role_refused"


class LoginRefused(AccessError):
    """No such member, or another password, which of them is not said; or no such invitation."""

    code = "login_refused"


class CsrfRefused(AccessError):
    """A change with a session's cookie that no page of ours asked for."""

    code = "csrf_refused"


class TooManyRequests(AccessError):
    """The key's limit of requests is used up for now."""

    code = "rate_limited"

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        """Keep in how many seconds the next request has a chance."""
        super().__init__(message)
        self.retry_after_s = retry_after_s


class SecretError(GlazeError):
    """A vendor's key cannot be sealed, or not be read."""

    code = "secret_error"


class SecretsUnavailable(SecretError):
    """There is no key-encryption key, or who has it does not answer."""

    code = "secrets_unavailable"


class SecretUnreadable(SecretError):
    """What was encrypted was moved or changed, or its key-encryption key is not given."""

    code = "secret_unreadable"


class StoreError(GlazeError):
    """The database refused or is not there."""

    code = "store_error"


class StoreUnavailable(StoreError):
    """The database cannot be reached, or is shutting down; worth another try."""

    code = "store_unavailable"


class CommitUnknown(StoreUnavailable):
    """The database went away while a transaction was being committed: it may or may not stand."""

    code = "store_commit_unknown"


class StoreRefused(StoreError):
    """A value cannot be stored; asking again would end the same."""

    code = "store_refused"


class SchemaMismatch(StoreError):
    """The database is newer or older than this code."""

    code = "schema_mismatch"


class ProviderError(GlazeError):
    """A provider broke its contract; nothing more is sent for it."""

    code = "provider_failed"


class FetchError(GlazeError):
    """An outward request did not end in a usable answer.

    ``sent`` is False only where it is certain that no byte of the request reached the other side:
    then nothing can have been billed.
    """

    code = "fetch_failed"

    def __init__(self, message: str, *, sent: bool = True) -> None:
        """Keep whether bytes may have left."""
        super().__init__(message)
        self.sent = sent


class AddressRefused(FetchError):
    """The guard refused where the URL leads; nothing was sent there."""

    code = "address_refused"

    def __init__(self, message: str) -> None:
        """Nothing is ever sent to a refused address."""
        super().__init__(message, sent=False)


class HeldBack(FetchError):
    """The request was ready, and its turn at the vendor was gone: nothing was sent."""

    code = "held_back"

    def __init__(self, message: str) -> None:
        """Nothing is ever sent of what was held back."""
        super().__init__(message, sent=False)


class BodyTooLarge(FetchError):
    """The answer has more decoded bytes than allowed."""

    code = "body_too_large"


class FetchTimeout(FetchError):
    """The whole-call deadline passed."""

    code = "fetch_timeout"


class ConnectFailed(FetchError):
    """No connection, no name, or it broke off."""

    code = "connect_failed"


class NoSuchHost(ConnectFailed):
    """The name servers answer that the name has no address: no outage, nobody is there."""

    code = "no_such_host"

    def __init__(self, host: str) -> None:
        """Nothing is ever sent to a host without address."""
        super().__init__(f"{host} has no address", sent=False)
