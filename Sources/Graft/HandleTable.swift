import CGraftMemory
import Glibc
import GraftTensor

/// The objects that C programs hold.
///
/// A handle is not an address but a number that this table knows: index and generation of a slot.
/// So a handle that was released, is of another kind, or was never one is recognised without
/// touching memory. A borrowed object lives until the call that borrowed it ends, even when another
/// thread releases its handle meanwhile. A call that needs an object for itself is refused while
/// another has it: on another thread, or further up on this one, below whose callback it is.
enum HandleTable {
    /// Objects may be used by several threads as `graft.h` says; the header's rules stand in for
    /// the compiler's.
    private struct Shared: @unchecked Sendable {
        let object: AnyObject
    }

    /// What a call does with an object that is not immutable.
    enum Use { case reads, changes }

    private struct Slot {
        var shared: Unmanaged<AnyObject>?
        var generation: UInt = 1
        /// How many releases it takes to free the object.
        var owners = 1
        /// Calls that read the object now; -1 while one changes it.
        var users = 0
        /// The next slot that is free, where this one is; -1 for none.
        var nextFree = -1
    }

    /// Slots in memory of their own: among small blocks it would keep those that objects leave from
    /// going back to the system.
    private struct Slots {
        private var memory: Memory?
        private(set) var count = 0
        var firstFree = -1

        /// Indices are checked by `HandleTable.index` or come from here.
        subscript(index: Int) -> Slot {
            get { start?[index] ?? Slot() }
            set { start?[index] = newValue }
        }

        private var start: UnsafeMutablePointer<Slot>? { memory?.base.assumingMemoryBound(to: Slot.self) }

        /// Adds a slot, and returns its index.
        mutating func add() throws(GraftError) -> Int {
            let size = MemoryLayout<Slot>.stride
            if let memory, (count + 1) * size <= memory.byteCount {
            } else {
                let larger = try Memory(byteCount: max(2 * (memory?.byteCount ?? 0), 1 << 14))
                if let memory { larger.base.copyMemory(from: memory.base, byteCount: count * size) }
                memory = larger
            }
            count += 1
            self[count - 1] = Slot()
            return count - 1
        }
    }

    private static let slots: Guarded<Slots> = {
        func unlock() {
            gm_unlock()
            HandleTable.slots.unlock()
        }
        pthread_atfork(
            {
                HandleTable.slots.lock()
                gm_lock()
            }, unlock, unlock)
        return Guarded(Slots())
    }()
    /// Indices take the low bits of a handle; the two lowest stay 0, as in an address.
    private static let indexBits: UInt = 30
    private static let lastGeneration = UInt.max >> indexBits

    static func insert(_ object: AnyObject) throws(GraftError) -> OpaquePointer? {
        let shared = Shared(object: object)
        let bits: UInt? = try slots.withLock { slots throws(GraftError) in
            let index: Int
            if slots.firstFree >= 0 {
                index = slots.firstFree
                slots.firstFree = slots[index].nextFree
            } else {
                guard slots.count < 1 << (indexBits - 2) else { return nil }
                index = try slots.add()
            }
            slots[index].shared = Unmanaged.passRetained(shared.object)
            return slots[index].generation << indexBits | UInt(index) << 2
        }
        guard let bits else {
            throw GraftError(.outOfMemory, "there are 268435456 handles already; expected some to be released")
        }
        return OpaquePointer(bitPattern: bits)
    }

    /// The object behind a handle; `kind` and `name` are for the message.
    static func borrow<Object: AnyObject>(
        _ handle: OpaquePointer?, _ kind: Object.Type, _ name: String
    ) throws(GraftError) -> Object {
        guard let handle else { throw GraftError(.invalidArgument, "\(name) is NULL; expected a handle") }
        guard let object = object(handle) as? Object else { throw notLive(name) }
        return object
    }

    /// Runs `body` with the object behind a handle while no other call changes it or, where `body`
    /// does, uses it at all.
    static func with<Object: AnyObject, Result>(
        _ handle: OpaquePointer?, _ kind: Object.Type, _ name: String, _ use: Use,
        _ body: (Object) throws(GraftError) -> Result
    ) throws(GraftError) -> Result {
        let object = try borrow(handle, kind, name)
        let bits = UInt(bitPattern: handle)
        let isFree: Bool? = slots.withLock { slots in
            guard let index = index(of: bits, slots) else { return nil }
            switch use {
            case .reads where slots[index].users >= 0: slots[index].users += 1
            case .changes where slots[index].users == 0: slots[index].users = -1
            default: return false
            }
            return true
        }
        guard let isFree else { throw notLive(name) }
        guard isFree else {
            throw GraftError(
                .invalidArgument,
                "\(name) is in use by another call, on another thread or the one whose callback this is; expected one call "
                    + "at a time")
        }
        defer {
            slots.withLock { slots in
                if let index = index(of: bits, slots) { slots[index].users -= use == .reads ? 1 : -1 }
            }
        }
        return try body(object)
    }

    /// As `borrow`, with nil for NULL.
    static func borrowOptional<Object: AnyObject>(
        _ handle: OpaquePointer?, _ kind: Object.Type, _ name: String
    ) throws(GraftError) -> Object? {
        guard let handle else { return nil }
        return try borrow(handle, kind, name)
    }

    /// nil where the handle is not a live one of this kind: for getters, which have no way to fail.
    static func peek<Object: AnyObject>(_ handle: OpaquePointer?, _ kind: Object.Type) -> Object? {
        handle.flatMap { object($0) as? Object }
    }

    /// Gives a live handle one more owner.
    static func retain<Object: AnyObject>(
        _ handle: OpaquePointer?, _ kind: Object.Type, _ name: String
    ) throws(GraftError) {
        _ = try borrow(handle, kind, name)
        let bits = UInt(bitPattern: handle)
        let isLive = slots.withLock { slots in
            guard let index = index(of: bits, slots) else { return false }
            slots[index].owners += 1
            return true
        }
        guard isLive else { throw notLive(name) }
    }

    /// Gives up one owner's share; the last one's frees the handle. A handle that is not live is
    /// left alone.
    ///
    /// - Parameter givesBack: whether the system gets the memory, which objects that come and go
    ///   with each request need again.
    static func release<Object: AnyObject>(_ handle: OpaquePointer?, _ kind: Object.Type, givesBack: Bool = true) {
        undisturbed {
            drop(handle, kind)
            if givesBack { gm_give_back() }
        }
    }

    private static func drop<Object: AnyObject>(_ handle: OpaquePointer?, _ kind: Object.Type) {
        guard let handle, object(handle) is Object else { return }
        // The object may be large: it goes after the lock.
        let bits = UInt(bitPattern: handle)
        let removed: Shared? = slots.withLock { slots in
            guard let index = index(of: bits, slots) else { return nil }
            slots[index].owners -= 1
            guard slots[index].owners == 0 else { return nil }
            let shared = slots[index].shared.map { Shared(object: $0.takeRetainedValue()) }
            slots[index] = Slot(generation: slots[index].generation + 1)
            // A slot that has had all its generations rests: a handle never comes back.
            if slots[index].generation <= lastGeneration {
                slots[index].nextFree = slots.firstFree
                slots.firstFree = index
            }
            return shared
        }
        withExtendedLifetime(removed) {}
    }

    private static func notLive(_ name: String) -> GraftError {
        GraftError(.invalidArgument, "\(name) is not a live handle of its kind: it was released, or is something else")
    }

    private static func object(_ handle: OpaquePointer) -> AnyObject? {
        let bits = UInt(bitPattern: handle)
        let shared: Shared? = slots.withLock { slots in
            index(of: bits, slots).flatMap { slots[$0].shared }.map { Shared(object: $0.takeUnretainedValue()) }
        }
        return shared?.object
    }

    private static func index(of bits: UInt, _ slots: Slots) -> Int? {
        let index = Int((bits & (1 << indexBits - 1)) >> 2)
        guard index < slots.count, bits & 3 == 0, slots[index].generation == bits >> indexBits else {
            return nil
        }
        return index
    }
}
