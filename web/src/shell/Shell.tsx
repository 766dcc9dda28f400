/** What is around every page: navigation, palette, shortcuts, notices, and how the connection stands. */

import { useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";

import { live } from "../api/live";
import { sessionQuery, signOut, useSession } from "../api/session";
import { useStanding } from "../api/use-live";
import { IconButton } from "../ui/controls";
import { Confirmations } from "../ui/dialog";
import { Icon, Mark } from "../ui/icons";
import { toastError, Toasts } from "../ui/toast";
import { useCommand } from "./commands";
import { useShortcut } from "./keys";
import { GROUPS } from "./nav";
import { Palette } from "./Palette";
import { Shortcuts } from "./Shortcuts";
import { nextTheme, useTheme } from "./theme";
import { useNav, type NavPage } from "./use-nav";

export function Shell() {
  const [open, setOpen] = useState<"palette" | "shortcuts" | "menu" | null>(null);
  const main = useRef<HTMLElement>(null);
  const menu = useRef<HTMLButtonElement>(null);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const [openOn, setOpenOn] = useState(path);
  if (openOn !== path) {
    setOpenOn(path);
    if (open === "menu") setOpen(null);
  }
  useConnection();
  useLeaving();
  useShortcut("mod+k", "Go to or do anything", () => setOpen("palette"));
  useShortcut("?", "This list", () => setOpen("shortcuts"));
  useCommand({
    id: "shortcuts",
    label: "Keyboard shortcuts",
    icon: "keyboard",
    act: () => setOpen("shortcuts"),
  });
  const navigate = useNavigate();
  useCommand({
    id: "account",
    label: "Account",
    icon: "user",
    words: "password sessions",
    act: () => void navigate({ to: "/account" }),
  });
  useCommand({ id: "theme", label: "Switch theme", icon: "moon", words: "dark light", act: nextTheme });
  return (
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions -- Escape in any of what it holds
    <div
      className="shell"
      data-menu={open === "menu" || undefined}
      onKeyDown={(event) => {
        if (open !== "menu" || event.key !== "Escape" || event.defaultPrevented) return;
        setOpen(null);
        menu.current?.focus();
      }}
    >
      <a
        className="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to content
      </a>
      <header className="top">
        <IconButton
          ref={menu}
          label={open === "menu" ? "Close the navigation" : "Open the navigation"}
          icon={open === "menu" ? "close" : "menu"}
          aria-expanded={open === "menu"}
          aria-controls="navigation"
          onClick={() => setOpen(open === "menu" ? null : "menu")}
        />
        <Brand />
        <IconButton label="Go to or do" icon="search" onClick={() => setOpen("palette")} />
      </header>
      <aside className="side" id="navigation">
        <Brand />
        <button type="button" className="finder" onClick={() => setOpen("palette")}>
          <Icon name="search" />
          <span>Go to…</span>
          <kbd aria-hidden="true">Ctrl K</kbd>
        </button>
        <Navigation />
        <Foot />
      </aside>
      <main id="main" ref={main} tabIndex={-1}>
        <Away />
        <Outlet />
      </main>
      {open === "palette" && <Palette onClose={() => setOpen(null)} />}
      {open === "shortcuts" && <Shortcuts onClose={() => setOpen(null)} />}
      <Confirmations />
      <Toasts />
    </div>
  );
}

function Brand() {
  const { workspace } = useSession();
  return (
    <Link to="/" className="brand">
      <Mark />
      <strong>Glaze</strong>
      <span className="dim truncate">{workspace}</span>
    </Link>
  );
}

function Navigation() {
  const pages = useNav();
  return (
    <nav aria-label="Pages">
      {GROUPS.map((group) => {
        const within = pages.filter((one) => one.nav.group === group);
        return (
          within.length > 0 && (
            <div key={group} className="nav-group">
              <h2 className="nav-title">{group}</h2>
              <ul>
                {within.map((one) => (
                  <NavLink key={one.to} {...one} />
                ))}
              </ul>
            </div>
          )
        );
      })}
    </nav>
  );
}

function NavLink({ to, nav }: NavPage) {
  const navigate = useNavigate();
  useShortcut(`g ${nav.key}`, `Go to ${nav.label}`, () => void navigate({ to }));
  return (
    <li>
      <Link to={to} activeOptions={{ exact: to === "/", includeSearch: false }}>
        <Icon name={nav.icon} />
        {nav.label}
      </Link>
    </li>
  );
}

const THEMES = {
  system: ["auto", "Theme: as the system"],
  light: ["sun", "Theme: light"],
  dark: ["moon", "Theme: dark"],
} as const;

function Foot() {
  const { email, role } = useSession();
  const [icon, label] = THEMES[useTheme()];
  const leave = useLeave();
  return (
    <footer className="foot">
      <Standing />
      <div className="who">
        <Link to="/account" title={email}>
          <span className="truncate">{email}</span>
          <span className="dim">{role}</span>
        </Link>
        <IconButton label={label} icon={icon} onClick={nextTheme} />
        <IconButton label="Sign out" icon="out" onClick={leave} />
      </div>
    </footer>
  );
}

function useLeave(): () => void {
  const client = useQueryClient();
  const navigate = useNavigate();
  return () => {
    signOut(client)
      .then(() => navigate({ to: "/sign-in" }))
      .catch(toastError);
  };
}

function useLeaving(): void {
  const leave = useLeave();
  useCommand({ id: "sign-out", label: "Sign out", icon: "out", words: "log out", act: leave });
}

const TOLD = {
  live: "Live",
  connecting: "Connecting…",
  away: "No connection",
} as const;

function Standing() {
  const standing = useStanding();
  return (
    <p className={`standing ${standing}`} role="status">
      {TOLD[standing]}
    </p>
  );
}

function Away() {
  const standing = useStanding();
  if (standing !== "away") return null;
  return (
    <div className="banner" role="alert">
      No connection to Glaze. What you see may be old; it goes on by itself.
    </div>
  );
}

/** Be told what changes for as long as somebody is signed in. */
function useConnection(): void {
  const client = useQueryClient();
  useEffect(() => {
    live.start(() => {
      client.fetchQuery({ ...sessionQuery, staleTime: 0 }).catch(() => {
        // No answer says nothing of the session; the banner tells of it.
      });
    });
    let wasAway = false;
    const unwatch = live.watch(() => {
      // What failed to be read meanwhile, and what no event tells of.
      if (live.standing === "live" && wasAway) void client.invalidateQueries();
      wasAway = live.standing === "away" || (wasAway && live.standing !== "live");
    });
    return () => {
      unwatch();
      live.stop();
    };
  }, [client]);
}
