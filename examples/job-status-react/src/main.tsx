// A page of some other application: /?server=https://glaze.example.com&job=4711
import { JobStatus } from "@glaze/job-status/react";
import { useState } from "react";
import { createRoot } from "react-dom/client";

const asked = new URLSearchParams(location.search);
const job = Number(asked.get("job"));

/** The page's own backend has the API key, and makes a token of it for who has signed in there. */
async function getToken(): Promise<string> {
  const answer = await fetch(`/glaze-token?job=${job}`);
  const { token } = (await answer.json()) as { token: string };
  return token;
}

function Lead() {
  const [state, setState] = useState("unknown");
  const [ended, setEnded] = useState("");
  return (
    <>
      <h1>Enrichment of a lead</h1>
      <JobStatus
        server={asked.get("server") ?? ""}
        job={job}
        getToken={getToken}
        actions={["retry", "cancel"]}
        onJobUpdate={(update) => setState(update.job?.state ?? "unknown")}
        onJobEnd={(end) => setEnded(`ended as ${end.job?.state}`)}
      />
      <p id="state">{state}</p>
      <p id="ended">{ended}</p>
    </>
  );
}

createRoot(document.getElementById("root")!).render(<Lead />);
