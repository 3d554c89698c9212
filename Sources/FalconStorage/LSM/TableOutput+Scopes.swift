/// No file holds keys of two scopes, nor range tombstones that reach into another.
extension TableOutput {
    /// Whether `key` may be of another scope than those before it: then ``beginScope(_:)`` has to look.
    @inline(__always)
    func mayLeaveScope(_ key: UnsafeRawBufferPointer) -> Bool {
        EntryTree.window(key, 0) >= scopeEnd
    }

    /// Ends what belongs to the scopes before `key`'s.
    @inline(never)
    func beginScope(_ key: UnsafeRawBufferPointer) throws(StorageError) {
        // Without its prefix a key is nobody's: it stays where it comes.
        guard let scopes, key.count >= 8 else { return }
        let prefix = EntryTree.window(key, 0)
        if let start = scopes.start(of: prefix).map(KeyScopes.key),
            lowerCut.map({ KeyOrder.less($0, start) }) ?? true
        {
            try endScopes(before: start)
            try cut(at: start)
        }
        scopeEnd = scopes.end(of: prefix) ?? .max
    }

    /// Ends files at the ends of scopes until one is left, which goes on to `bound` or beyond.
    func endScopes(before bound: [UInt8]?) throws(StorageError) {
        guard let scopes else { return }
        while let first = firstKept(before: bound) {
            guard let end = scopes.end(of: first.withUnsafeBytes { EntryTree.window($0, 0) }) else {
                return
            }
            let key = KeyScopes.key(end)
            if let bound, !KeyOrder.less(key, bound) { return }
            try cut(at: key)
        }
    }

    /// Where what is to be written before `bound` begins: with the open file, or a tombstone's part.
    private func firstKept(before bound: [UInt8]?) -> [UInt8]? {
        var first = writer.map { _ in Array(lastKey.bytes) }
        for part in clipped(upperCut: bound)
        where first.map({ KeyOrder.less(part.lower, $0) }) ?? true { first = part.lower }
        return first
    }
}
