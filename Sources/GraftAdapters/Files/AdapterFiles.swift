import GraftFormats
import GraftTensor

/// The two files of an adapter folder, byte for byte.
package struct AdapterFiles: Sendable {
    package static let configName = "adapter_config.json"
    package static let weightsName = "adapter_model.safetensors"

    package let config: [UInt8]
    package let weights: [UInt8]
}

extension Adapter {
    /// Writes the folder in PEFT's layout, whole or not at all; one that nothing changed, as it was read.
    package func save(to path: String) throws(GraftError) {
        let content = try usable()
        let files: AdapterFiles
        if isAsLoaded, let original = content.original {
            files = original
        } else {
            files = try content.files()
        }
        try AtomicDirectory.write(to: path) { folder throws(GraftError) in
            try folder.write(files.config, to: AdapterFiles.configName)
            try folder.write(files.weights, to: AdapterFiles.weightsName)
        }
    }
}

extension AdapterContent {
    /// Label names travel in the weights file's metadata, which PEFT does not read.
    static let labelsKey = "id2label"

    /// The folder's files as PEFT writes them.
    package func files() throws(GraftError) -> AdapterFiles {
        var metadata: SafetensorsWriter.Metadata = [("format", "pt")]
        if let head, head.ownsLabels {
            var names = JSONObject()
            for (index, label) in head.labels.enumerated() { names[String(index)] = .string(label) }
            metadata.append((Self.labelsKey, JSON.object(names).serialized(JSON.Style(isCompact: true))))
        }
        var saved = config
        saved["inference_mode"] = .bool(true)
        let tensors: [SafetensorsWriter.Tensor] = plan.tensors.map {
            (
                $0.name, .float32, $0.shape,
                UnsafeRawBufferPointer(start: values + $0.parameter.offset, count: $0.parameter.count * 4)
            )
        }
        return AdapterFiles(
            config: JSON.object(saved).serializedBytes(.configuration),
            weights: try SafetensorsWriter.serialize(tensors: tensors, metadata: metadata))
    }
}
