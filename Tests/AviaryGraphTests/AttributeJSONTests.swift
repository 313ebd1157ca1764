@testable import AviaryGraph
import Testing

/// Nodes' attributes read from JSON that is wrong.
@Suite struct AttributeJSONTests {
  @Test func attributesOfAnotherType() {
    func node(_ members: String) -> String {
      problem(graph(#"{"name":"a","inputs":["x"],"# + members + "}"))
    }
    #expect(
      node(#""op":"convolution","kernel":3"#)
        == "a: outChannels: expected an integer, found nothing")
    #expect(
      node(#""op":"convolution","outChannels":"8","kernel":3"#)
        == #"a: outChannels: expected an integer, found "8""#)
    #expect(
      node(#""op":"convolution","outChannels":8,"kernel":[3]"#)
        == "a: kernel: expected an integer or [height, width], found [3]")
    #expect(
      node(#""op":"convolution","outChannels":8,"kernel":[3,null]"#)
        == "a: kernel: expected an integer or [height, width], found [3,null]")
    #expect(
      node(#""op":"convolution","outChannels":8,"kernel":3,"padding":"valid""#)
        == #"a: padding: expected 'same', an integer or [top, left, bottom, right], found "valid""#)
    #expect(
      node(#""op":"convolution","outChannels":8,"kernel":3,"padding":[1,1]"#)
        == "a: padding: expected 'same', an integer or [top, left, bottom, right], found [1,1]")
    #expect(
      node(#""op":"convolution","outChannels":8,"kernel":3,"bias":1"#)
        == "a: bias: expected true or false, found 1")
    #expect(
      node(#""op":"pixelShuffle","factor":2,"order":"caffe""#)
        == #"a: order: expected one of 'pytorch', 'tensorflow', found "caffe""#)
    #expect(
      node(#""op":"resize","kernel":"bicubic","factor":2"#)
        == #"a: kernel: expected one of 'nearest', 'linear', 'cubic', 'lanczos', found "bicubic""#)
    #expect(
      node(#""op":"resize","kernel":"cubic","factor":2"#)
        == "a: a: expected a number, found nothing")
    #expect(
      node(#""op":"resize","kernel":"linear","a":1,"factor":2"#)
        == "a: resize has no attribute 'a' (it has kernel, factor, coordinates, edge, antialias)")
    for factor in ["0", "-1", "[1,0]", "[1,2,3]", "1.5", "5000", "9223372036854775807"] {
      #expect(
        node(#""op":"resize","kernel":"linear","factor":"# + factor)
          == "a: factor: expected an integer or [numerator, denominator], 1 to 4096, "
          + "found \(factor)")
    }
    #expect(
      node(#""op":"scale","values":"x""#)
        == #"a: values: expected a number or an array of numbers, found "x""#)
    #expect(
      node(#""op":"scale","values":[]"#) == "a: values: expected 1 to 1048576, found 0")
    #expect(
      node(#""op":"reduce","kind":"median","dimensions":[2]"#)
        == "a: kind: expected one of 'mean', 'sum', 'maximum', 'minimum', 'product', 'variance', "
        + #"'unbiasedVariance', 'l1', 'l2', 'sumOfSquares', found "median""#)
    #expect(
      node(#""op":"reduce","kind":"sum","dimensions":2"#)
        == "a: dimensions: expected an array of integers, found 2")
    #expect(
      node(#""op":"convolution","outChannels":1e3,"kernel":3,"stride":1e300"#)
        == "a: stride: expected an integer or [height, width], found 1e+300")
    // Attributes are excerpted, so that a message stays a line.
    let long = node(
      #""op":"scale","values":{"k":""# + String(repeating: "x", count: 10_000) + #""}"#)
    #expect(long.utf8.count < 300)
  }

  /// Attributes on which the names of parameters depend must not trap before they are checked.
  @Test func attributesOutOfRange() {
    for dimensions in ["-1", "-9223372036854775808", "0", "9", "9223372036854775807"] {
      #expect(
        problem(
          graph(
            #"{"name":"a","op":"layerNormalization","inputs":["x"],"dimensions":\#(dimensions)}"#))
          == "a: dimensions: expected 1 to 8, found \(dimensions)")
    }
    for number in ["-1", "-9223372036854775808", "0", "9223372036854775807"] {
      for attribute in ["outChannels", "groups", "stride", "dilation", "kernel"] {
        var members = ["outChannels": "4", "kernel": "3"]
        members[attribute] = number
        let text = members.map { "\"\($0)\":\($1)" }.joined(separator: ",")
        for op in ["convolution", "transposedConvolution"] {
          if op == "transposedConvolution", attribute == "dilation" { continue }
          #expect(
            problem(graph(#"{"name":"a","op":"\#(op)","inputs":["x"],\#(text)}"#))
              .hasPrefix("a: \(attribute): expected 1 to "))
        }
      }
      #expect(
        problem(graph(#"{"name":"a","op":"linear","inputs":["x"],"outFeatures":\#(number)}"#))
          == "a: outFeatures: expected 1 to 1048576, found \(number)")
    }
  }
}
