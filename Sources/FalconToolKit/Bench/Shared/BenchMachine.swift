import FalconStorage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The machine a measurement ran on, as far as the system tells.
enum BenchMachine {
    static var cores: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    /// `path`: the database's directory, for the name of its file system.
    static func json(path: String?) -> JSONValue {
        let processor = text("/proc/cpuinfo").split(separator: "\n")
            .first { $0.hasPrefix("model name") }?.split(separator: ":").last
            .map { trimmed($0) }
        let kernel = trimmed(Substring(text("/proc/sys/kernel/osrelease")))
        return .object([
            ("processor", .text(processor)), ("cores", .count(cores)),
            ("memory_bytes", memoryBytes.map(JSONValue.unsigned) ?? .null),
            ("kernel", .text(kernel.isEmpty ? nil : kernel)),
            ("file_system", .text(path.flatMap(fileSystem(of:)))),
        ])
    }

    private static var memoryBytes: UInt64? {
        guard
            let line = text("/proc/meminfo").split(separator: "\n").first(where: {
                $0.hasPrefix("MemTotal:")
            }), let number = line.split(separator: " ").dropFirst().first, let kib = UInt64(number)
        else { return nil }
        return kib &* 1024
    }

    /// The type of the file system with the longest mount point above `path`.
    private static func fileSystem(of path: String) -> String? {
        let absolute = ToolPath.absolute(path)
        var best: (length: Int, kind: String)?
        for line in text("/proc/self/mounts").split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 2 else { continue }
            let point = String(words[1])
            let isAbove = point == "/" || absolute == point || absolute.hasPrefix(point + "/")
            if isAbove, point.utf8.count >= best?.length ?? 0 {
                best = (point.utf8.count, String(words[2]))
            }
        }
        return best?.kind
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }

    /// The first 64 KiB of one of the kernel's own files; empty where there is none. Nothing but a
    /// name in a report depends on it.
    private static func text(_ path: String) -> String {
        guard let file = try? PosixFileSystem().open(path, .read) else { return "" }
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, initialized in
            count = (try? file.read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)) ?? 0
            initialized = count
        }
        try? file.close()
        return String(decoding: bytes, as: UTF8.self)
    }
}
