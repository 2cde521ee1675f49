"""Tests of comparison.py. To run them: python3 -m unittest discover --start-directory benches/gate"""

import unittest

from comparison import Baseline, deviations, differing, renewed


class ComparisonTest(unittest.TestCase):
    def test_a_count_outside_the_margin_is_a_deviation(self) -> None:
        baselines = {"path": Baseline(1000, 1000)}
        for count, expected in ((1000, 0), (1019, 0), (1020, 0), (1021, 1), (1030, 1), (981, 0), (979, 1)):
            self.assertEqual(len(deviations(baselines, {"path": count}, 0.02)), expected, count)

    def test_a_path_that_is_only_in_the_file_or_only_counted_is_a_deviation(self) -> None:
        self.assertEqual(len(deviations({"old": Baseline(1, 1)}, {"new": 1}, 0.02)), 2)

    def test_each_version_is_compared(self) -> None:
        self.assertEqual(differing({"rustc": "1", "libc": "2"}, {"rustc": "1", "libc": "2"}), [])
        self.assertEqual(len(differing({"rustc": "1", "libc": "2"}, {"rustc": "3", "libc": "2", "cc": "4"})), 2)

    def test_a_renewal_with_other_tools_keeps_the_slowdown_since_the_reference(self) -> None:
        # The count was 1.5 % above its reference. The other tools halve all counts; the new code adds 0.4 %.
        baselines, slower = renewed({"path": Baseline(1000, 1015)}, {"path": 508}, {"path": 510}, 0.02, set())
        self.assertEqual((baselines["path"], slower), (Baseline(500, 510), []))
        self.assertEqual(renewed({"path": Baseline(1000, 1015)}, {"path": 508}, {"path": 511}, 0.02, set())[1], ["path"])

    def test_a_renewal_records_gains_and_accepted_losses(self) -> None:
        baselines = {"gain": Baseline(1000, 1000), "loss": Baseline(1000, 1000)}
        counts = {"gain": 900, "loss": 1100, "new": 5}
        made, slower = renewed(baselines, {"gain": 1000, "loss": 1000}, counts, 0.02, {"loss"})
        self.assertEqual((made["gain"], made["loss"], made["new"]), (Baseline(900, 900), Baseline(1100, 1100), Baseline(5, 5)))
        self.assertEqual(slower, [])


if __name__ == "__main__":
    unittest.main()
