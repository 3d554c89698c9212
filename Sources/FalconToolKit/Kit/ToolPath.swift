import FalconStorage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Paths as a person means them.
enum ToolPath {
    /// `path` from the root, without `.`, `..`, doubled slashes, and links where it exists.
    static func absolute(_ path: String) -> String {
        if let real = realpath(path, nil) {
            defer { free(real) }
            return String(cString: real)
        }
        var text = path
        if !text.hasPrefix("/"), let here = getcwd(nil, 0) {
            text = String(cString: here) + "/" + text
            free(here)
        }
        var parts: [Substring] = []
        for part in text.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        guard let last = parts.last else { return "/" }
        // The output does not exist yet, its parent does.
        let parent = "/" + parts.dropLast().joined(separator: "/")
        if let real = realpath(parent, nil) {
            defer { free(real) }
            let resolved = String(cString: real)
            return (resolved == "/" ? "" : resolved) + "/" + last
        }
        return (parent == "/" ? "" : parent) + "/" + last
    }

    /// Throws when an output would lie in the data directory, or take its place.
    static func checkApart(_ out: String, from directory: String) throws(StorageError) {
        let inner = absolute(out)
        let outer = absolute(directory)
        if inner == outer || inner.hasPrefix(outer + "/") || outer.hasPrefix(inner + "/") {
            throw .invalidArgument(
                "The output '\(out)' and the data directory '\(directory)' lie in one another.",
                hint: "Nothing is ever written to the data directory: choose another place.")
        }
    }

    /// Throws when the file `out` would lie in what is inspected at `path`: a directory, or a file, or the data
    /// directory that either is part of.
    static func checkOutside(
        _ out: String, of path: String, _ fileSystem: any FileSystem
    ) throws(StorageError) {
        let inner = absolute(out)
        let given = absolute(path)
        var outers = [given]
        // One of its directories, or a file in one.
        for part in [given, VFSPath.parent(of: given)]
        where ["sst", "wal"].contains(VFSPath.name(of: part)) {
            let root = VFSPath.parent(of: part)
            if try DataDirectory.isEngine(root, fileSystem) { outers.append(root) }
        }
        for outer in outers
        where inner == outer || inner.hasPrefix(outer == "/" ? "/" : outer + "/") {
            throw .invalidArgument(
                "The output '\(out)' lies in '\(outer)', which is only read.",
                hint: "Nothing is ever written to what is inspected: choose another place.")
        }
    }
}
