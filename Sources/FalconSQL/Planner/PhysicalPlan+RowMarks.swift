import FalconSchema

/// Where a cursor's plan has the key of a table's row.
struct PlanRowMark {
    var slot: Int
    /// By FOR UPDATE or its kin.
    var isLocked: Bool
}

extension PhysicalPlan {
    /// How a table's rows can be told from the plan's.
    enum RowMarking {
        case marked(PlanRowMark)
        /// FOR UPDATE names the table more than once.
        case several
        /// FOR UPDATE names others.
        case unmarked
        /// Its rows are not each one of the table.
        case unknown
    }

    /// Slots of the keys of rows that the plan locks.
    var lockedKeySlots: [Int] { lockTargets.map(\.row.rowKeySlot) }

    func rowMark(of table: OID) -> RowMarking {
        let targets = lockTargets
        if targets.isEmpty {
            return Self.scannedKey(root, table).map {
                .marked(PlanRowMark(slot: $0, isLocked: false))
            } ?? .unknown
        }
        let matching = targets.filter { $0.row.table.oid == table }
        if matching.count > 1 { return .several }
        return matching.first.map {
            .marked(PlanRowMark(slot: $0.row.rowKeySlot, isLocked: true))
        } ?? .unmarked
    }

    /// Whether it scans the index.
    func reads(_ index: IndexDescriptor) -> Bool {
        var pending = [root] + subplans.map(\.root) + commonTables.map(\.root)
        while let node = pending.popLast() {
            if case .scan(let scan) = node.operation,
                case .index(let used, _, _) = scan.access, used.oid == index.oid
            {
                return true
            }
            pending += node.children
        }
        return false
    }

    private var lockTargets: [LockRowsNode.Target] {
        // Cheap for the many plans that lock nothing.
        if isReadOnly { return [] }
        var found: [LockRowsNode.Target] = []
        var pending = [root]
        while let node = pending.popLast() {
            if case .lockRows(let lock) = node.operation { found += lock.targets }
            pending += node.children
        }
        return found
    }

    /// A row of the plan is one of the scan of the table below it.
    private static func scannedKey(_ root: PlanNode, _ table: OID) -> Int? {
        scan(under: root).flatMap { $0.table.oid == table ? $0.rowKeySlot : nil }
    }

    /// The slot of its rows' keys, when each is one of the table that it scans.
    var scannedKeySlot: Int? { Self.scan(under: root)?.rowKeySlot }

    private static func scan(under root: PlanNode) -> ScanNode? {
        var node = root
        while true {
            switch node.operation {
            case .scan(let scan): return scan
            case .filter(let child, _), .limit(let child, _, _): node = child
            case .project(let project) where project.setReturning.isEmpty: node = project.child
            default: return nil
            }
        }
    }
}
