"""How results are printed: one line each, the median with its range, and the target where there is one."""
import statistics


def heading(text):
    print(f"\n{text}", flush=True)


def line(what, values, target=None, most=False):
    middle = statistics.median(values)
    said = f"  {what}: {middle:.4g}"
    if len(values) > 1:
        said += f" ({min(values):.4g} to {max(values):.4g} in {len(values)} rounds)"
    if target is not None:
        reached = middle <= target if most else middle >= target
        said += f"; target {'at most' if most else 'at least'} {target:g}: {'reached' if reached else 'MISSED'}"
    print(said, flush=True)
