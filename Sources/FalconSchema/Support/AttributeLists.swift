import FalconStorage

/// Lists of attribute numbers in stored descriptors: a varint count and i16 each.
extension ByteWriter {
    mutating func appendAttributes(_ attributes: [Int16]) {
        appendVarint(UInt64(attributes.count))
        for attribute in attributes { appendFixed(attribute) }
    }
}

extension ByteReader {
    mutating func readAttributes() -> [Int16]? {
        guard let count = readVarint(), count <= UInt64(remaining) else { return nil }
        var attributes: [Int16] = []
        for _ in 0..<count {
            guard let attribute = readFixed(Int16.self) else { return nil }
            attributes.append(attribute)
        }
        return attributes
    }
}
