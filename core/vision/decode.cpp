#include "core/vision/decode.h"

#include "core/base/text.h"
#include "core/vision/image_header.h"
#include "core/vision/mat.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string_view>

namespace aiflow {

namespace {

tl::unexpected<Error> bad(std::string message, std::string hint = {})
{
    return fail(Reason::InputImageBad, std::move(message), std::move(hint));
}

std::string_view textOf(std::span<const std::byte> bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// --- what it is instead

struct Stranger {
    std::string_view what;
    std::string_view hint;
};

Stranger strangerOf(std::string_view text)
{
    const std::string_view brand = text.size() >= 12 && text.substr(4, 4) == "ftyp" ? text.substr(8, 4) : "";
    if (brand.starts_with("hei") || brand.starts_with("hev") || brand == "mif1")
        return {"a HEIC picture", "save it as JPEG or PNG"};
    if (brand.starts_with("avi")) return {"an AVIF picture", "save it as JPEG or PNG"};
    if (text.starts_with("GIF8")) return {"a GIF picture", "save it as PNG"};
    if (text.starts_with("%PDF")) return {"a PDF document", "save its page as JPEG or PNG"};
    if (text.starts_with("PK\x03\x04")) return {"a ZIP archive", "unpack it first"};
    const std::string start = foldForMatching(text.substr(0, std::min<std::size_t>(text.size(), 256)));
    if (start.find("<svg") != std::string::npos) return {"an SVG drawing", "save it as PNG"};
    if (start.starts_with("<!doctype html") || start.starts_with("<html") || start.starts_with("<!do"))
        return {"a web page", "fetch the picture itself again: a page was saved under its name"};
    return {};
}

tl::unexpected<Error> notAPicture(std::span<const std::byte> bytes, const std::string& fileName)
{
    if (bytes.empty()) return bad(fileName + " is empty (0 bytes)", "replace the picture");
    const std::string_view text = textOf(bytes);
    const Stranger stranger = strangerOf(text);
    const std::string start = escapeControl(text.substr(0, std::min<std::size_t>(text.size(), 4)));
    std::string message = fileName + " is not a picture that can be read: it ";
    if (!stranger.what.empty()) message += "is " + std::string(stranger.what) + " and ";
    return bad(message + "starts with \"" + (isValidUtf8(start) ? start : "binary data") + "\"",
               stranger.hint.empty() ? "use a JPEG, PNG or WebP picture" : std::string(stranger.hint));
}

// --- what the header forbids

tl::unexpected<Error> cutOff(const ImageHeader& header, std::size_t size, const std::string& fileName)
{
    const auto count = static_cast<std::int64_t>(size);
    const std::string there = toText(Bytes(count));
    if (header.neededBytes > size)
        return bad(fmt::format("{} is cut off: {} of at least {} are there", fileName, there,
                               toText(Bytes(static_cast<std::int64_t>(header.neededBytes)))),
                   "copy or download the picture again");
    return bad(fmt::format("{} is cut off: its end is missing after {}", fileName, there),
               "copy or download the picture again");
}

Result<void> checkSize(const ImageHeader& header, const DecodeLimits& limits, const std::string& fileName)
{
    if (header.width <= 0 || header.height <= 0)
        return bad(fileName + " is damaged: its size is nowhere stated", "replace the picture");
    if (header.width > limits.side || header.height > limits.side)
        return bad(fmt::format("{} is too large: {} x {} pixels; a side may have {}", fileName, header.width,
                               header.height, limits.side),
                   "make it smaller");
    if (header.width * header.height > limits.pixels)
        return bad(fmt::format("{} is too large: {} x {} are {:.0f} megapixels; the limit is {}", fileName,
                               header.width, header.height, static_cast<double>(header.width * header.height) / 1e6,
                               limits.pixels / 1'000'000),
                   "make it smaller");
    return {};
}

Result<void> checkHeader(const ImageHeader& header, std::size_t size, const DecodeOptions& options,
                         const std::string& fileName)
{
    const bool optional = header.kind == PictureKind::Tiff || header.kind == PictureKind::Bmp;
    if (optional && !options.allowTiffAndBmp)
        return bad(fmt::format("{} is a {} picture, which are not read unless asked for", fileName, name(header.kind)),
                   "save it as JPEG or PNG, or set allow_tiff_bmp: true");
    if (!header.problem.empty()) return bad(fileName + " is damaged: " + header.problem, "replace the picture");
    if (!header.complete && header.width == 0) return cutOff(header, size, fileName);
    if (auto checked = checkSize(header, options.limits, fileName); !checked) return checked;
    if (header.frames > 1) return bad(fileName + " has more than one frame", "save the one that you want");
    if (header.scans > options.limits.scans)
        return bad(
            fmt::format("{} is drawn in {} passes; the limit is {}", fileName, header.scans, options.limits.scans),
            "save it again as a plain JPEG");
    if (!header.complete) return cutOff(header, size, fileName);
    return {};
}

// --- pixels

cv::Mat toEightBits(const cv::Mat& mat)
{
    cv::Mat result = mat;
    if (mat.depth() == CV_16U)
        mat.convertTo(result, CV_8U, 1.0 / 257.0);
    else if (mat.depth() == CV_32F)
        mat.convertTo(result, CV_8U, 255.0);
    else if (mat.depth() != CV_8U)
        mat.convertTo(result, CV_8U);
    return result;
}

cv::Mat toRgb(const cv::Mat& decoded, bool keepAlpha)
{
    cv::Mat result;
    switch (decoded.channels()) {
    case 1:
        cv::cvtColor(decoded, result, cv::COLOR_GRAY2RGB);
        return result;
    case 3:
        cv::cvtColor(decoded, result, cv::COLOR_BGR2RGB);
        return result;
    default:
        cv::cvtColor(decoded, result, cv::COLOR_BGRA2RGBA);
        return keepAlpha ? result : layOnWhite(result);
    }
}

cv::Mat turnUpright(const cv::Mat& mat, int orientation)
{
    cv::Mat turned;
    switch (orientation) {
    case 2:
        cv::flip(mat, turned, 1);
        return turned;
    case 3:
        cv::rotate(mat, turned, cv::ROTATE_180);
        return turned;
    case 4:
        cv::flip(mat, turned, 0);
        return turned;
    case 5:
        cv::transpose(mat, turned);
        return turned;
    case 6:
        cv::rotate(mat, turned, cv::ROTATE_90_CLOCKWISE);
        return turned;
    case 7: {
        cv::Mat half;
        cv::rotate(mat, half, cv::ROTATE_180);
        cv::transpose(half, turned);
        return turned;
    }
    case 8:
        cv::rotate(mat, turned, cv::ROTATE_90_COUNTERCLOCKWISE);
        return turned;
    default:
        return mat;
    }
}

class OpenCvDecoder final : public PictureDecoder {
public:
    Result<Image> decode(std::span<const std::byte> bytes, const std::string& fileName,
                         const DecodeOptions& options) const override
    {
        const auto size = static_cast<std::int64_t>(bytes.size());
        if (Bytes(size) > options.limits.fileSize)
            return bad(fmt::format("{} is too large: {}; the limit is {}", fileName, toText(Bytes(size)),
                                   toText(options.limits.fileSize)),
                       "make it smaller");
        const auto kind = kindOf(bytes);
        if (!kind) return notAPicture(bytes, fileName);
        const ImageHeader header = readImageHeader(*kind, bytes);
        if (auto checked = checkHeader(header, bytes.size(), options, fileName); !checked)
            return tl::unexpected(checked.error());
        return decodeChecked(bytes, header, fileName, options);
    }

private:
    static Result<Image> decodeChecked(std::span<const std::byte> bytes, const ImageHeader& header,
                                       const std::string& fileName, const DecodeOptions& options)
    {
        const auto damaged = [&] {
            return bad(fmt::format("{} is damaged: its {} data cannot be decoded", fileName, name(header.kind)),
                       "replace the picture");
        };
        try {
            auto* first = const_cast<std::byte*>(bytes.data()); // imdecode reads only
            const cv::Mat raw(1, static_cast<int>(bytes.size()), CV_8UC1, first);
            const cv::Mat decoded = cv::imdecode(raw, cv::IMREAD_UNCHANGED);
            // The codec must agree with the header that the limits were checked on.
            if (decoded.empty() || decoded.cols != header.width || decoded.rows != header.height) return damaged();
            return imageOf(turnUpright(toRgb(toEightBits(decoded), options.keepAlpha), header.orientation));
        } catch (const cv::Exception&) {
            return damaged();
        }
    }
};

} // namespace

std::unique_ptr<PictureDecoder> makePictureDecoder() { return std::make_unique<OpenCvDecoder>(); }

} // namespace aiflow
