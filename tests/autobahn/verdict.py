"""Judges a report of the Autobahn test suite against the results that are expected (`expected.json`).

wstest ends with status 0 whatever it found, so the verdict is read from its `index.json`; and it skips what is left
when a connection is refused in mid-run, so the cases are counted. `behaviorClose` is judged beside `behavior`: a wrong
closing handshake is only seen there.

Knows neither wstest nor our server: two dictionaries in, sentences out.
"""

# From best to worst. UNIMPLEMENTED: an extension was not agreed on, so the case did not run.
RANKS = {
    "behavior": ["OK", "INFORMATIONAL", "NON-STRICT", "UNIMPLEMENTED", "FAILED"],
    "behaviorClose": ["OK", "INFORMATIONAL", "UNIMPLEMENTED", "UNCLEAN", "WRONG CODE", "FAILED BY CLIENT", "FAILED"],
}
STRICT = {"behavior": "OK", "behaviorClose": "OK"}


def section(case):
    """The section of a case: `6` of `6.4.3`."""
    return case.split(".")[0]


def in_order(case):
    """A key that sorts cases as the suite counts them: 9.2 before 10.1."""
    return [int(part) for part in case.split(".")]


def merge(parts):
    """Puts together the reports of several runs, {name of the run: {case: result}}; the names are their folders.

    Returns the results of all, and sentences about cases that have more than one: a mistake in how they were split.
    """
    results, doubled = {}, []
    for name, found in parts.items():
        for case, result in found.items():
            if case in results:
                doubled.append(f"{case}: was run in {name}, too")
            results[case] = {**result, "reportfile": f"{name}/{result.get('reportfile')}"}
    return results, doubled


def judge(results, expected, sections=None):
    """Compares `results` ({case: {behavior, behaviorClose}}) with `expected` ({sections, exceptions}).

    Returns two lists of sentences: what is worse than expected or missing, and what is better.
    """
    sections = sections or sorted(expected["sections"], key=int)
    worse, better = [], []
    for name in sections:
        if name not in expected["sections"]:
            worse.append(f"section {name}: expected.json says nothing about it")
            continue
        due = expected["sections"][name]
        found = sum(section(case) == name for case in results)
        if found != due:
            worse.append(f"section {name}: {found} cases have a result, {due} are due")
    exceptions = expected["exceptions"]
    for case in exceptions:
        if section(case) in sections and case not in results:
            worse.append(f"{case}: expected.json names it, but it has no result")
    for case in sorted(results, key=in_order):
        if section(case) not in sections:
            worse.append(f"{case}: was not asked for")
        for field, ranks in RANKS.items():
            want = exceptions.get(case, STRICT)[field]
            have = results[case].get(field)
            if have == want:
                continue
            text = f"{case}: {field} is {have}, expected is {want}"
            known = have in ranks and ranks.index(have) < ranks.index(want)
            (better if known else worse).append(text)
    return worse, better


def table(results):
    """One line per section: how many cases ended how."""
    counts = {}
    for case, result in results.items():
        verdict = result.get("behavior")
        if result.get("behaviorClose") != verdict:
            verdict = f"{verdict} / close {result.get('behaviorClose')}"
        of_section = counts.setdefault(int(section(case)), {})
        of_section[verdict] = of_section.get(verdict, 0) + 1
    return [
        f"section {name:2}: " + ", ".join(f"{count} {verdict}" for verdict, count in sorted(found.items()))
        for name, found in sorted(counts.items())
    ]
