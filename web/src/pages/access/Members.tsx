/** Who may sign in, as what, and who is invited to. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, told, type Schemas } from "../../api/client";
import { may, useSession, type Role } from "../../api/session";
import { useCommand } from "../../shell/commands";
import { Button, Field } from "../../ui/controls";
import { FormDialog, Once, textOf } from "../../ui/form";
import { Badge, PageHead, Panel } from "../../ui/layout";
import { Empty, Shown } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { toast, toastError } from "../../ui/toast";
import { Ago } from "../../ui/values";
import "./access.css";

type Member = Schemas["MemberOut"];
type Invitation = Schemas["InvitationOut"];
type Invited = Schemas["InvitedOut"];
const KEY = ["members"];
const EVERY_MS = 3_000;

const ROLES: Readonly<Record<Role, string>> = {
  viewer: "sees everything, changes nothing",
  editor: "also asks for work, changes it and spends within the budgets",
  admin: "also keys, budgets, settings, and members up to admins",
  owner: "also owners",
};
const NAMES = Object.keys(ROLES) as Role[];

export function Members() {
  const [adds, setAdds] = useState(false);
  const [made, setMade] = useState<Invited | null>(null);
  const members = useQuery({ queryKey: KEY, queryFn: () => told(api.GET("/v1/members")), refetchInterval: EVERY_MS });
  const invitations = useQuery({
    queryKey: [...KEY, "invitations"],
    queryFn: () => told(api.GET("/v1/members/invitations")),
    refetchInterval: EVERY_MS,
  });
  useCommand({ id: "invite", label: "Invite somebody", icon: "people", words: "member user colleague", act: () => setAdds(true) });
  const open = invitations.data ?? [];
  return (
    <div className="page">
      <PageHead title="Members" about="Who may sign in to this workspace, and what each may do.">
        <Button kind="primary" icon="plus" onClick={() => setAdds(true)}>
          Invite somebody
        </Button>
      </PageHead>
      <Panel flush>
        <Shown query={members}>
          {(rows) => (
            <DataTable
              label="Members"
              columns={COLUMNS}
              rows={rows.toSorted((a, b) => Number(a.disabled_at !== null) - Number(b.disabled_at !== null))}
              rowKey={(one) => one.id}
              empty={<Empty level={2} title="Nobody yet" />}
            />
          )}
        </Shown>
      </Panel>
      {/* Not before it is known how many members stand above. */}
      {!members.isPending && (
        <Panel title="Invitations" aside={<p>each counts once</p>} flush>
          <Shown query={invitations}>
            {() => (
              <DataTable
                label="Invitations"
                columns={INVITED}
                rows={open}
                rowKey={(one) => one.id}
                empty={<Empty title="None is open">Who accepted theirs stands among the members.</Empty>}
              />
            )}
          </Shown>
        </Panel>
      )}
      {adds && <Invite onMade={setMade} onClose={() => setAdds(false)} />}
      {made && (
        <Once title={`${made.email} is invited`} label="Send them this link" secret={linkOf(made)} onClose={() => setMade(null)}>
          <p className="dim">
            Who opens it chooses a password and is in, as {made.role}. It counts once, until <Ago at={made.expires_at} />.
          </p>
        </Once>
      )}
    </div>
  );
}

/** What stands behind # is sent to no server, and stands in no log. */
function linkOf({ token, email }: Invited): string {
  return `${location.origin}/app/welcome#${new URLSearchParams({ token, email })}`;
}

const COLUMNS: readonly Column<Member>[] = [
  { id: "email", title: "Member", cell: (one) => <Name of={one} /> },
  { id: "role", title: "Role", cell: (one) => <ChooseRole of={one} /> },
  { id: "login", title: "Last signed in", end: true, cell: (one) => (one.last_login_at ? <Ago at={one.last_login_at} /> : "never") },
  { id: "since", title: "Since", end: true, cell: (one) => <Ago at={one.created_at} /> },
  { id: "act", title: "Actions", end: true, cell: (one) => <Remove of={one} /> },
];

function Name({ of }: { of: Member }) {
  const { email } = useSession();
  return (
    <>
      <strong>{of.email}</strong> {of.email === email && <span className="dim">you</span>}{" "}
      {of.disabled_at && (
        <Badge>
          removed <Ago at={of.disabled_at} />
        </Badge>
      )}
    </>
  );
}

/** Nobody gives or takes a role above their own, or changes their own by mistake. */
function useMayChange(of: Member): boolean {
  const { role, email } = useSession();
  return of.disabled_at === null && of.email !== email && may(role, "admin") && may(role, of.role);
}

function ChooseRole({ of }: { of: Member }) {
  const client = useQueryClient();
  const { role: mine } = useSession();
  const mayChange = useMayChange(of);
  const give = useMutation({
    mutationFn: (role: Role) =>
      told(api.PATCH("/v1/members/{member_id}", { params: { path: { member_id: of.id } }, body: { role } })),
    onSettled: () => client.invalidateQueries({ queryKey: KEY }),
    onError: toastError,
  });
  async function choose(role: Role) {
    const before = of.role;
    try {
      await give.mutateAsync(role);
    } catch {
      return; // it was told
    }
    toast({ text: `${of.email} is ${role} now.`, undo: () => give.mutate(before) });
  }
  if (!mayChange) return <span title={ROLES[of.role]}>{of.role}</span>;
  return (
    <select
      className="input member-role"
      aria-label={`Role of ${of.email}`}
      value={give.isPending ? give.variables : of.role}
      title={ROLES[of.role]}
      onChange={(event) => void choose(event.target.value as Role)}
    >
      {NAMES.filter((one) => may(mine, one)).map((one) => (
        <option key={one}>{one}</option>
      ))}
    </select>
  );
}

function Remove({ of }: { of: Member }) {
  const client = useQueryClient();
  const [asks, setAsks] = useState(false);
  const mayChange = useMayChange(of);
  async function remove(given: FormData) {
    const keys = given.get("keep") ? "keep" : "revoke";
    const gone = await told(api.DELETE("/v1/members/{member_id}", { params: { path: { member_id: of.id }, query: { keys } } }));
    const revoked = gone.revoked_keys.length;
    toast({ text: `${of.email} is removed${revoked > 0 ? `, and ${revoked} of their keys revoked` : ""}.` });
    await client.invalidateQueries({ queryKey: KEY });
  }
  if (!mayChange) return null;
  return (
    <>
      <Button size="small" kind="quiet" aria-label={`Remove ${of.email}`} onClick={() => setAsks(true)}>
        Remove
      </Button>
      {asks && (
        <FormDialog title={`Remove ${of.email}?`} action="Remove" danger submit={remove} onClose={() => setAsks(false)}>
          <p className="dim">
            They are signed out at once and cannot sign in again. Invitations that they sent are withdrawn, and the API keys that they made
            are revoked: whatever runs with one of those stops.
          </p>
          <label className="check">
            <input type="checkbox" name="keep" />
            Keep their API keys working
          </label>
        </FormDialog>
      )}
    </>
  );
}

const INVITED: readonly Column<Invitation>[] = [
  { id: "email", title: "Invited", cell: (one) => <strong>{one.email}</strong> },
  { id: "role", title: "As", cell: (one) => one.role },
  { id: "made", title: "When", end: true, cell: (one) => <Ago at={one.created_at} /> },
  { id: "until", title: "Counts until", end: true, cell: (one) => <Ago at={one.expires_at} /> },
  { id: "act", title: "Actions", end: true, cell: (one) => <Withdraw of={one} /> },
];

function Withdraw({ of }: { of: Invitation }) {
  const client = useQueryClient();
  const withdraw = useMutation({
    mutationFn: () => api.DELETE("/v1/members/invitations/{invitation_id}", { params: { path: { invitation_id: of.id } } }),
    onSuccess: () => toast({ text: `The link of ${of.email} counts no more.` }),
    onSettled: () => client.invalidateQueries({ queryKey: KEY }),
    onError: toastError,
  });
  return (
    <Button size="small" kind="quiet" aria-label={`Withdraw the invitation of ${of.email}`} busy={withdraw.isPending} onClick={() => withdraw.mutate()}>
      Withdraw
    </Button>
  );
}

function Invite({ onMade, onClose }: { onMade: (made: Invited) => void; onClose: () => void }) {
  const client = useQueryClient();
  const { role: mine } = useSession();
  async function invite(given: FormData) {
    const body = { email: textOf(given, "email"), role: textOf(given, "role") as Role };
    onMade(await told(api.POST("/v1/members/invitations", { body })));
    await client.invalidateQueries({ queryKey: KEY });
  }
  return (
    <FormDialog title="Invite somebody" action="Make the link" submit={invite} onClose={onClose}>
      <Field label="E-mail" name="email" type="email" required autoFocus maxLength={254} hint="They sign in by it. Glaze sends no mail: you send them the link." />
      <fieldset className="choices">
        <legend>As</legend>
        {NAMES.filter((one) => may(mine, one)).map((role) => (
          <label key={role} className="check">
            <input type="radio" name="role" value={role} required defaultChecked={role === "editor"} />
            <span>
              {role}
              <span className="dim">{ROLES[role]}</span>
            </span>
          </label>
        ))}
      </fieldset>
    </FormDialog>
  );
}
