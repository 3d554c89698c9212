import FalconStorage

/// The machine's limits as `falcon-bench calibrate --export json` wrote them.
struct Calibration {
    /// Name to value, in the limit's own unit.
    private let values: [String: Double]

    init(contentsOf path: String, _ fileSystem: any FileSystem) throws(StorageError) {
        let bytes = try fileSystem.contents(of: path)
        guard let document = JSONReader.value(of: bytes),
            document["command"]?.stringValue == "calibrate",
            document["schema_version"]?.doubleValue == Double(BenchOutput.schemaVersion),
            let limits = document["limits"]?.elements
        else {
            throw .invalidArgument(
                "'\(path)' is not what 'falcon-bench calibrate --export json' of this version writes."
            )
        }
        var values: [String: Double] = [:]
        for limit in limits {
            guard let name = limit["name"]?.stringValue, let value = limit["value"]?.doubleValue,
                value > 0
            else { continue }
            values[name] = value
        }
        self.values = values
    }

    subscript(_ limit: BenchLimit) -> Double? { values[limit.rawValue] }
}
