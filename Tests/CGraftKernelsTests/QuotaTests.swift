import CGraftKernels
import Foundation
import Testing

/// Control groups as a process may find them: files below a folder that stands for the root of the
/// system.
private struct System: ~Copyable {
    let root: String

    init(_ files: [String: String]) {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("graft-quota-\(UUID().uuidString)")
        root = folder.path
        for (path, text) in files {
            let file = folder.appendingPathComponent(path)
            try? FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try? text.write(to: file, atomically: false, encoding: .utf8)
        }
    }

    var quota: Int32 { gk_quota(root) }

    deinit { try? FileManager.default.removeItem(atPath: root) }
}

/// `mountinfo` of one control group's file system.
private func mount(_ type: String, root: String = "/", at folder: String, options: String = "rw") -> String {
    "22 1 8:1 / / rw,relatime - ext4 /dev/root rw\n"
        + "30 22 0:26 \(root) \(folder) rw,nosuid shared:4 master:1 - \(type) \(type) \(options)\n"
}

/// A process in group `/a/b` of version 2, with these quotas.
private func second(_ quotas: [String: String], group: String = "/a/b", root: String = "/") -> Int32 {
    var files = [
        "/proc/self/cgroup": "0::\(group)\n",
        "/proc/self/mountinfo": mount("cgroup2", root: root, at: "/sys/fs/cgroup"),
    ]
    for (folder, text) in quotas { files["/sys/fs/cgroup\(folder)/cpu.max"] = text }
    return System(files).quota
}

/// A process in group `/a/b` of version 1.
private func first(_ quotas: [String: (String, String)], group: String = "/a/b", root: String = "/") -> Int32 {
    var files = [
        "/proc/self/cgroup": "5:memory:/elsewhere\n4:cpu,cpuacct:\(group)\n0::/\n",
        "/proc/self/mountinfo": mount(
            "cgroup", root: root, at: "/sys/fs/cgroup/cpu,cpuacct", options: "rw,cpu,cpuacct"),
    ]
    for (folder, (quota, period)) in quotas {
        files["/sys/fs/cgroup/cpu,cpuacct\(folder)/cpu.cfs_quota_us"] = quota
        files["/sys/fs/cgroup/cpu,cpuacct\(folder)/cpu.cfs_period_us"] = period
    }
    return System(files).quota
}

private let unlimited = Int32.max

extension Kernels {
    @Suite("Quotas of control groups") struct Quotas {
        @Test(
            "Version 2: quota over period, rounded up",
            arguments: [
                ("200000 100000\n", 2), ("150000 100000\n", 2), ("100001 100000\n", 2), ("50000 100000\n", 1),
                ("1000 1000000\n", 1), ("max 100000\n", unlimited), ("400000 100000", 4),
            ]) func quotient(text: String, processors: Int32)
        {
            #expect(second(["/a/b": text]) == processors, "\(text)")
        }

        @Test(
            "What is no quota is none",
            arguments: [
                "", "\n", "max\n", "100000\n", "-1 100000\n", "0 100000\n", "100000 0\n", "100000 -5\n",
                "many 100000\n",
                "100000 x\n", "100000x 100000\n", "99999999999999999999 1\n", "maximum 100000\n",
            ]) func garbage(text: String)
        {
            #expect(second(["/a/b": text]) == unlimited, "\(text)")
        }

        @Test("The smallest of a group's and of those around it") func enclosing() {
            #expect(second(["/a/b": "400000 100000\n", "/a": "200000 100000\n", "": "max 100000\n"]) == 2)
            #expect(second(["/a/b": "100000 100000\n", "/a": "200000 100000\n"]) == 1)
            #expect(second(["/a": "300000 100000\n"]) == 3)
            #expect(second(["": "300000 100000\n"]) == 3)
        }

        @Test("A container sees its own group where its mount begins") func container() {
            #expect(second(["": "200000 100000\n"], group: "/", root: "/") == 2)
            #expect(second(["": "200000 100000\n"], group: "/docker/x", root: "/docker/x") == 2)
            #expect(second(["/b": "200000 100000\n"], group: "/docker/x/b", root: "/docker/x") == 2)
            #expect(second(["": "200000 100000\n"], group: "/other", root: "/docker/x") == 2)
            #expect(first(["": ("300000\n", "100000\n")], group: "/docker/x", root: "/docker/x") == 3)
        }

        @Test("Version 1: two files, -1 without a limit") func firstVersion() {
            #expect(first(["/a/b": ("250000\n", "100000\n")]) == 3)
            #expect(first(["/a/b": ("-1\n", "100000\n"), "/a": ("100000\n", "50000\n")]) == 2)
            #expect(first(["/a/b": ("-1\n", "100000\n")]) == unlimited)
            #expect(first(["/a/b": ("", "")]) == unlimited)
            #expect(first(["/a/b": ("100000\n", "0\n")]) == unlimited)
            #expect(first([:]) == unlimited)
        }

        @Test("Files that are missing or say nothing mean no limit") func missing() {
            #expect(System([:]).quota == unlimited)
            #expect(System(["/proc/self/mountinfo": mount("cgroup2", at: "/sys/fs/cgroup")]).quota == unlimited)
            #expect(System(["/proc/self/cgroup": "0::/a\n"]).quota == unlimited)
            #expect(
                System([
                    "/proc/self/cgroup": "garbage\n\n::\n0:\n",
                    "/proc/self/mountinfo": "garbage\n - \n1 2 3 - cgroup2\n",
                ]).quota == unlimited)
            let long = String(repeating: "/x", count: 4000)
            #expect(second(["": "100000 100000\n"], group: long) == unlimited)
        }

        @Test("A process has at least one processor") func processors() {
            gk_read_limits()
            #expect(gk_processor_count() >= 1)
        }
    }
}
