import { BrokenLinkError, checkLinks, type Link, type LinkReport } from "../../../infra/operate/link";
import { PermissionDeniedError } from "../../../infra/operate/permission-denied";
import { Gate, settled } from "../../mocks";

/** A link that is in order, unless the test says otherwise. */
function link(name: string, rest: Partial<Link> = {}): Link {
  return { name, checks: `${name} is there`, needs: [], check: () => Promise.resolve(`seen ${name}`), ...rest };
}

/** A link that is broken. */
function broken(name: string, rest: Partial<Link> = {}): Link {
  return link(name, {
    check: () => Promise.reject(new BrokenLinkError(`${name} is gone`, `mend ${name}`)),
    ...rest,
  });
}

/** A link that may not be checked any more. */
function unchecked(name: string, rest: Partial<Link> = {}): Link {
  return link(name, { check: () => Promise.reject(new Error(`${name} was checked`)), ...rest });
}

/** States by name, with what a link is behind. */
function states(reports: readonly LinkReport[]): Record<string, string> {
  return Object.fromEntries(
    reports.map((each) => [
      each.name,
      each.state === "not checked" ? `${each.state}: ${each.behind.join(", ")}` : each.state,
    ]),
  );
}

describe("a report", () => {
  test.each<[what: string, of: Link, expected: object]>([
    ["of a link in order says what was seen", link("role"), { state: "ok", seen: "seen role" }],
    [
      "of a broken link says why, and what fixes it",
      broken("role"),
      { state: "broken", cause: "role is gone", fix: "mend role" },
    ],
    [
      "of a link that may not be looked at says which right is lacking",
      link("role", { check: () => Promise.reject(new PermissionDeniedError('"get" on roles')) }),
      { state: "not permitted", right: '"get" on roles' },
    ],
    [
      "of a check that fails by itself has its message, and no made-up fix",
      link("role", { check: () => Promise.reject(new Error("socket hang up")) }),
      {
        state: "broken",
        cause: "socket hang up",
        fix: "try again: this was no finding, but a call that failed",
      },
    ],
    [
      "of a check that throws something else than an error has its words",
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
      link("role", { check: () => Promise.reject("no way") }),
      { state: "broken", cause: "no way", fix: "try again: this was no finding, but a call that failed" },
    ],
    [
      "of a check that throws at once is no other",
      link("role", {
        check: () => {
          throw new BrokenLinkError("role is gone", "mend role");
        },
      }),
      { state: "broken", cause: "role is gone", fix: "mend role" },
    ],
  ])("%s", async (_, of, expected) => {
    expect(await checkLinks([of])).toEqual([{ name: "role", checks: "role is there", ...expected }]);
  });
});

test("reports are in the order of the links, whatever the order in which they come", async () => {
  const gates = ["first", "second", "third"].map((name) => ({ name, gate: new Gate() }));
  const came: string[] = [];
  const reports = checkLinks(
    gates.map(({ name, gate }) => link(name, { check: () => gate.opened.then(() => name) })),
    ({ name }) => came.push(name),
  );
  for (const { gate } of [...gates].reverse()) {
    gate.open();
    await settled();
  }
  expect((await reports).map(({ name }) => name)).toEqual(["first", "second", "third"]);
  expect(came).toEqual(["third", "second", "first"]);
});

test("there may be no links", async () => {
  expect(await checkLinks([])).toEqual([]);
});

describe("onReport", () => {
  test("is called once with each report, of whatever state, before all are returned", async () => {
    const came: LinkReport[] = [];
    const links = [
      link("cluster"),
      broken("vault"),
      unchecked("role", { needs: ["vault"] }),
      link("policy", { check: () => Promise.reject(new PermissionDeniedError("that")) }),
    ];
    const reports = await checkLinks(links, (report) => came.push(report));
    expect(new Set(came)).toEqual(new Set(reports));
    expect(came).toHaveLength(4);
  });

  test("is called as soon as a link is done, while others go on", async () => {
    const gate = new Gate();
    const came: string[] = [];
    const slow = link("slow", { check: () => gate.opened.then(() => "") });
    const reports = checkLinks([slow, link("quick")], ({ name }) => came.push(name));
    await settled();
    expect(came).toEqual(["quick"]);
    gate.open();
    await reports;
    expect(came).toEqual(["quick", "slow"]);
  });
});

describe("the time of checks", () => {
  /** Links whose checks note when they begin, and end when a test has them end. */
  function held(...links: readonly Link[]): { links: Link[]; begun: string[]; end: (name: string) => Promise<void> } {
    const begun: string[] = [];
    const gates = new Map(links.map(({ name }) => [name, new Gate()]));
    return {
      begun,
      links: links.map((each) => ({
        ...each,
        check: async () => {
          begun.push(each.name);
          await gates.get(each.name)!.opened;
          return each.check();
        },
      })),
      end: async (name) => {
        gates.get(name)!.open();
        await settled();
      },
    };
  }

  test("independent links are checked at the same time", async () => {
    const { links, begun, end } = held(link("driver"), link("provider"), link("vault"));
    const reports = checkLinks(links);
    await settled();
    expect(begun).toEqual(["driver", "provider", "vault"]);
    for (const name of begun) await end(name);
    expect(states(await reports)).toEqual({ driver: "ok", provider: "ok", vault: "ok" });
  });

  test("a link is checked once all that it needs are in order, and no sooner", async () => {
    const { links, begun, end } = held(link("a"), link("b"), link("both", { needs: ["a", "b"] }), link("c"));
    const reports = checkLinks(links);
    await settled();
    expect(begun).toEqual(["a", "b", "c"]);
    await end("b");
    expect(begun).toEqual(["a", "b", "c"]);
    await end("a");
    expect(begun).toEqual(["a", "b", "c", "both"]);
    await end("both");
    await end("c");
    await reports;
  });

  test("what a link suffers from does not hold it up", async () => {
    const { links, begun, end } = held(link("driver"), link("provider", { suffersFrom: ["driver"] }));
    const reports = checkLinks(links);
    await settled();
    expect(begun).toEqual(["driver", "provider"]);
    await end("driver");
    await end("provider");
    expect(states(await reports)).toEqual({ driver: "ok", provider: "ok" });
  });

  test("no link is checked before checkLinks has returned", () => {
    const check = jest.fn(() => Promise.resolve(""));
    void checkLinks([link("a", { check })]);
    expect(check).not.toHaveBeenCalled();
  });
});

describe("a link that needs another", () => {
  test("is not checked where that is broken, nor is what needs it in turn", async () => {
    const reports = await checkLinks([
      broken("vault"),
      unchecked("auth", { needs: ["vault"] }),
      unchecked("role", { needs: ["auth"] }),
      link("class"),
    ]);
    expect(states(reports)).toEqual({
      vault: "broken",
      auth: "not checked: vault",
      role: "not checked: auth",
      class: "ok",
    });
  });

  test("names all that it is behind, and none that is in order", async () => {
    const reports = await checkLinks([
      broken("policy"),
      link("login"),
      broken("secret"),
      unchecked("access", { needs: ["login", "secret", "policy"] }),
    ]);
    expect(states(reports).access).toBe("not checked: secret, policy");
  });

  test("is checked where that may not be looked at: it may be in order", async () => {
    const reports = await checkLinks([
      link("role", { check: () => Promise.reject(new PermissionDeniedError("read")) }),
      link("login", { needs: ["role"] }),
    ]);
    expect(states(reports)).toEqual({ role: "not permitted", login: "ok" });
  });

  test("may be listed before it", async () => {
    expect(states(await checkLinks([link("login", { needs: ["role"] }), link("role")]))).toEqual({
      login: "ok",
      role: "ok",
    });
    expect(states(await checkLinks([unchecked("login", { needs: ["role"] }), broken("role")]))).toEqual({
      login: "not checked: role",
      role: "broken",
    });
  });

  test("is checked where there is no link of that name, as where a platform has none", async () => {
    expect(states(await checkLinks([link("files", { needs: ["republisher"] })]))).toEqual({ files: "ok" });
  });
});

describe("a link that suffers from another", () => {
  const suffering = { suffersFrom: ["driver", "provider"] };

  test("is excused where it is broken as that is", async () => {
    const reports = await checkLinks([broken("driver"), link("provider"), broken("files", suffering)]);
    expect(states(reports)).toEqual({ driver: "broken", provider: "ok", files: "not checked: driver" });
  });

  test("is excused where its check fails by itself", async () => {
    const files = link("files", { check: () => Promise.reject(new Error("socket hang up")), ...suffering });
    expect(states(await checkLinks([broken("driver"), files])).files).toBe("not checked: driver");
  });

  test("is excused behind what was not checked", async () => {
    const reports = await checkLinks([
      broken("cluster"),
      unchecked("driver", { needs: ["cluster"] }),
      broken("files", suffering),
    ]);
    expect(states(reports).files).toBe("not checked: driver");
  });

  test("is excused where that is listed after it", async () => {
    expect(states(await checkLinks([broken("files", suffering), broken("driver")])).files).toBe("not checked: driver");
  });

  test("is in order where it is, whatever that is", async () => {
    expect(states(await checkLinks([broken("driver"), link("files", suffering)]))).toEqual({
      driver: "broken",
      files: "ok",
    });
  });

  test("is broken where that is in order, or may not be looked at", async () => {
    const provider = link("provider", { check: () => Promise.reject(new PermissionDeniedError("get")) });
    const reports = await checkLinks([link("driver"), provider, broken("files", suffering)]);
    expect(states(reports)).toEqual({ driver: "ok", provider: "not permitted", files: "broken" });
  });

  test("is not permitted where it may not be looked at", async () => {
    const files = link("files", { check: () => Promise.reject(new PermissionDeniedError("exec")), ...suffering });
    expect(states(await checkLinks([broken("driver"), files])).files).toBe("not permitted");
  });
});
