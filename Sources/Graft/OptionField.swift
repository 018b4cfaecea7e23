import GraftTensor

/// One option as a C struct holds it and as the core does: copied either way.
struct OptionField<CStruct, Core> {
    let write: (_ from: Core, _ to: inout CStruct) -> Void
    /// Refuses what the core's type has no value for; whether it is in range is the core's to say.
    let read: (_ from: CStruct, _ to: inout Core) throws(GraftError) -> Void

    /// Of the same type in both.
    init<Value>(_ field: WritableKeyPath<CStruct, Value>, _ option: WritableKeyPath<Core, Value>) {
        write = { $1[keyPath: field] = $0[keyPath: option] }
        read = { $1[keyPath: option] = $0[keyPath: field] }
    }

    /// A count.
    init<Value: FixedWidthInteger>(
        _ field: WritableKeyPath<CStruct, Value>, _ option: WritableKeyPath<Core, Int>
    ) {
        write = { $1[keyPath: field] = Value(clamping: $0[keyPath: option]) }
        read = { $1[keyPath: option] = Int(clamping: $0[keyPath: field]) }
    }

    /// 0 or 1.
    init(_ name: String, _ field: WritableKeyPath<CStruct, Int32>, _ option: WritableKeyPath<Core, Bool>) {
        write = { $1[keyPath: field] = $0[keyPath: option] ? 1 : 0 }
        read = { from, to throws(GraftError) in to[keyPath: option] = try flag(from[keyPath: field], name) }
    }

    /// One of an enumeration.
    init<Value: RawRepresentable>(
        _ name: String, _ field: WritableKeyPath<CStruct, Int32>, _ option: WritableKeyPath<Core, Value>
    ) where Value.RawValue == Int32 {
        write = { $1[keyPath: field] = $0[keyPath: option].rawValue }
        read = { from, to throws(GraftError) in
            to[keyPath: option] = try choice(from[keyPath: field], Value.self, name)
        }
    }
}
