extension MemoryFileSystem {
    /// A new file system with what a power cut at this moment would leave, by `policy` and `seed`.
    /// Handles and locks of this one stay with this one.
    public func crashClone(_ policy: CrashPolicy, seed: UInt64 = 0) -> MemoryFileSystem {
        let clone = MemoryFileSystem()
        guardian.withLock { _ in
            var maker = CrashCloner(policy: policy, random: SplitMix64(seed: seed))
            maker.fill(clone.root, from: root)
        }
        clone.recountUsedBytes()
        return clone
    }

    /// A copy as a killed process leaves it to the next: everything is there, and what was not synced
    /// still is not.
    public func fork() -> MemoryFileSystem {
        let copy = MemoryFileSystem()
        guardian.withLock { _ in
            var copies: [ObjectIdentifier: Node] = [:]
            func copied(_ node: Node) -> Node {
                if let done = copies[ObjectIdentifier(node)] { return done }
                let fresh = Node(isDirectory: node.isDirectory)
                copies[ObjectIdentifier(node)] = fresh
                fill(fresh, from: node)
                return fresh
            }
            func fill(_ fresh: Node, from node: Node) {
                fresh.data = node.data
                fresh.unsynced = node.unsynced
                fresh.device = node.device
                fresh.links = node.links
                fresh.entries = node.entries.mapValues(copied)
                fresh.durableEntries = node.durableEntries.mapValues(copied)
                fresh.pending = node.pending.map { $0.map { ($0.name, $0.node.map(copied)) } }
            }
            fill(copy.root, from: root)
        }
        copy.recountUsedBytes()
        return copy
    }

    /// All files with their contents, by path: for comparisons in tests.
    public func snapshotContents() -> [String: [UInt8]] {
        guardian.withLock { _ in
            var result: [String: [UInt8]] = [:]
            func walk(_ node: Node, _ path: String) {
                for (name, child) in node.entries {
                    let childPath = path.isEmpty ? name : path + "/" + name
                    if child.isDirectory {
                        walk(child, childPath)
                    } else {
                        result[childPath] = child.data
                    }
                }
            }
            walk(root, "")
            return result
        }
    }
}

/// Builds the surviving tree; hard links stay links.
private struct CrashCloner {
    let policy: CrashPolicy
    var random: SplitMix64
    var copies: [ObjectIdentifier: MemoryFileSystem.Node] = [:]

    init(policy: CrashPolicy, random: SplitMix64) {
        self.policy = policy
        self.random = random
    }

    mutating func fill(_ target: MemoryFileSystem.Node, from source: MemoryFileSystem.Node) {
        var entries = source.durableEntries
        let survivors: Int
        switch policy {
        case .dropUnsynced: survivors = 0
        case .keepUnsynced, .loseEntries: survivors = source.pending.count
        case .reorder, .tear: survivors = Int(random.next() % UInt64(source.pending.count + 1))
        }
        for change in source.pending.prefix(survivors) {
            if policy == .loseEntries, random.next() & 1 == 0 { continue }
            for (name, node) in change { entries[name] = node }
        }
        // Sorted, so that one seed always gives one tree.
        for (name, node) in entries.sorted(by: { $0.key < $1.key }) {
            let copy = copy(node)
            target.entries[name] = copy
            target.durableEntries[name] = copy
        }
    }

    private mutating func copy(_ node: MemoryFileSystem.Node) -> MemoryFileSystem.Node {
        if let done = copies[ObjectIdentifier(node)] {
            done.links += 1
            return done
        }
        let copy = MemoryFileSystem.Node(isDirectory: node.isDirectory)
        copies[ObjectIdentifier(node)] = copy
        if node.isDirectory {
            fill(copy, from: node)
        } else {
            copy.data = survivingData(of: node)
            // A process was killed, the system goes on: what a failed sync gave up stays lost.
            if policy == .keepUnsynced { copy.device = node.device }
        }
        return copy
    }

    private mutating func survivingData(of node: MemoryFileSystem.Node) -> [UInt8] {
        if policy == .keepUnsynced || policy == .loseEntries { return node.data }
        var data = node.device ?? node.data
        if node.device == nil {
            for change in node.unsynced.reversed() { change.undo(on: &data) }
        }
        if policy == .dropUnsynced { return data }
        for change in node.unsynced {
            if let size = change.newSize {
                if random.next() & 1 == 0 { MemoryFileSystem.resize(&data, to: size) }
            } else if case .tear(let sectorBytes) = policy {
                tear(change, max(1, sectorBytes), into: &data)
            } else if random.next() & 1 == 0 {
                change.redo(on: &data)
            }
        }
        return data
    }

    private mutating func tear(
        _ change: MemoryFileSystem.Node.Change, _ sectorBytes: Int, into data: inout [UInt8]
    ) {
        var position = 0
        while position < change.new.count {
            // Sectors are aligned in the file, not in the write.
            let offset = change.offset + position
            let count = min(sectorBytes - offset % sectorBytes, change.new.count - position)
            if random.next() & 1 == 0 {
                change.new.withUnsafeBytes { bytes in
                    MemoryFileSystem.put(
                        UnsafeRawBufferPointer(rebasing: bytes[position..<(position + count)]),
                        at: offset, in: &data)
                }
            }
            position += count
        }
    }
}
