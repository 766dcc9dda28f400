/** Whom jobs ask first, for how long things are kept, people's rights, and the installation's own settings. */

import { useMay, useSession } from "../../api/session";
import { FIRST_WORKSPACE } from "../../shell/use-nav";
import { PageHead, Tabs } from "../../ui/layout";
import { Freshness } from "./Freshness";
import { Installation } from "./Installation";
import { Order } from "./Order";
import { People } from "./People";
import { Retention } from "./Retention";
import { settings as route, type SettingsTab } from "./route";
import "./settings.css";

const SHOWN = { order: Order, freshness: Freshness, retention: Retention, people: People, installation: Installation };
const LABELS: Readonly<Record<SettingsTab, string>> = {
  order: "Who is asked",
  freshness: "Freshness",
  retention: "Retention",
  people: "People",
  installation: "Installation",
};

export function Settings() {
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  const isAdmin = useMay("admin");
  const { workspace_id: workspace } = useSession();
  const seen: SettingsTab[] = ["order", "freshness"];
  if (isAdmin) seen.push("retention", "people");
  if (isAdmin && workspace === FIRST_WORKSPACE) seen.push("installation");
  const shown = tab && seen.includes(tab) ? tab : "order";
  const Page = SHOWN[shown];
  return (
    <div className="page settings">
      <PageHead title="Settings" />
      <Tabs
        label="Settings"
        tabs={seen.map((id) => ({ id, label: LABELS[id] }))}
        value={shown}
        onChange={(id) => void navigate({ search: { tab: id === "order" ? undefined : (id as SettingsTab) }, replace: true })}
      >
        <Page />
      </Tabs>
    </div>
  );
}
