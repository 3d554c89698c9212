/// One of YCSB's core workloads.
enum YCSBWorkload: String, CaseIterable {
    case a, b, c, d, e, f

    enum Operation: Int, CaseIterable, Sendable {
        case read, update, insert, scan, readModifyWrite

        var index: Int { rawValue }
        var name: String {
            switch self {
            case .read: "read"
            case .update: "update"
            case .insert: "insert"
            case .scan: "scan"
            case .readModifyWrite: "read_modify_write"
            }
        }
    }

    var title: String {
        switch self {
        case .a: "50 % reads, 50 % updates, zipfian"
        case .b: "95 % reads, 5 % updates, zipfian"
        case .c: "reads, zipfian"
        case .d: "95 % reads of the latest, 5 % inserts"
        case .e: "95 % scans of 1 to 100 records, 5 % inserts, zipfian"
        case .f: "50 % reads, 50 % read-modify-writes, zipfian"
        }
    }

    /// Reads prefer what was inserted last.
    var readsLatest: Bool { self == .d }

    /// The operation that `uniform` (0 to 1) stands for.
    func operation(_ uniform: Double) -> Operation {
        switch self {
        case .a: uniform < 0.5 ? .read : .update
        case .b: uniform < 0.95 ? .read : .update
        case .c: .read
        case .d: uniform < 0.95 ? .read : .insert
        case .e: uniform < 0.95 ? .scan : .insert
        case .f: uniform < 0.5 ? .read : .readModifyWrite
        }
    }
}
