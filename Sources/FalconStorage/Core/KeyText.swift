/// A key as messages show it: hexadecimal, cut after 32 bytes.
enum KeyText {
    static func hex(_ key: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in key.prefix(32) {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self) + (key.count > 32 ? "..." : "")
    }
}
