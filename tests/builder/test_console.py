"""What the build says."""

from builder.console import Progress


def test_progress_names_the_share_that_is_there(capsys):
    """Where no terminal listens: a line when a quarter is passed, with what has come by then."""
    with Progress("numpy", 200_000_000) as progress:
        for done in (20, 80, 60, 96, 170, 200, 200):
            progress.reach(done * 1_000_000)
    assert capsys.readouterr().out.splitlines() == [
        "numpy: 80.0 of 200.0 MB (40 %)",
        "numpy: 170.0 of 200.0 MB (85 %)",
        "numpy: 200.0 of 200.0 MB (100 %)",
    ]
