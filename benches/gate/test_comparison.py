"""python3 -m unittest discover --start-directory benches/gate"""

import unittest

from comparison import Kept, differing, faults, renewed


class VerdictTest(unittest.TestCase):
    def test_more_than_the_margin_is_a_fault_either_way(self) -> None:
        kept = {"path": Kept(1000, 1000)}
        for count, expected in ((1000, 0), (1019, 0), (1020, 0), (1021, 1), (1030, 1), (981, 0), (979, 1)):
            self.assertEqual(len(faults(kept, {"path": count}, 0.02)), expected, count)

    def test_a_path_on_one_side_alone_is_a_fault(self) -> None:
        self.assertEqual(len(faults({"old": Kept(1, 1)}, {"new": 1}, 0.02)), 2)

    def test_each_version_counts(self) -> None:
        self.assertEqual(differing({"rustc": "1", "libc": "2"}, {"rustc": "1", "libc": "2"}), [])
        self.assertEqual(len(differing({"rustc": "1", "libc": "2"}, {"rustc": "3", "libc": "2", "cc": "4"})), 2)

    def test_a_renewal_for_other_tools_keeps_what_was_lost_since_the_reference(self) -> None:
        # 1.5 % above its reference; other tools make half of it, and the code has grown by 0.4 %.
        kept, slower = renewed({"path": Kept(1000, 1015)}, {"path": 508}, {"path": 510}, 0.02, set())
        self.assertEqual((kept["path"], slower), (Kept(500, 510), []))
        self.assertEqual(renewed({"path": Kept(1000, 1015)}, {"path": 508}, {"path": 511}, 0.02, set())[1], ["path"])

    def test_a_renewal_takes_gains_and_what_is_accepted(self) -> None:
        kept = {"gain": Kept(1000, 1000), "loss": Kept(1000, 1000)}
        counts = {"gain": 900, "loss": 1100, "new": 5}
        made, slower = renewed(kept, {"gain": 1000, "loss": 1000}, counts, 0.02, {"loss"})
        self.assertEqual((made["gain"], made["loss"], made["new"]), (Kept(900, 900), Kept(1100, 1100), Kept(5, 5)))
        self.assertEqual(slower, [])


if __name__ == "__main__":
    unittest.main()
