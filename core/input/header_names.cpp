#include "core/input/header_names.h"

#include <algorithm>
#include <array>
#include <utility>

namespace aiflow {

namespace {

struct Meaning {
    std::string_view thing;
    std::string_view names; // folded, without spaces, underscores and hyphens; separated by one space
};

constexpr auto kMeanings = std::to_array<Meaning>({
    {"sku",
     "sku skuid id itemid productid productcode itemcode itemno itemnumber articleno articlenumber code partnumber "
     "商品编码 商品编号 商品id 商品代码 商品货号 货号 编码 编号 款号 产品编号 产品编码 产品id 产品货号 物料编码 料号 "
     "sku编码 sku编号"},
    {"title", "title name productname producttitle itemname itemtitle heading 标题 商品标题 商品名称 商品名 品名 名称 "
              "产品名称 产品名 "
              "产品标题 宝贝标题 宝贝名称"},
    {"image", "image img picture pic photo file imagefile imagepath imageurl mainimage productimage imagename filename "
              "图片 主图 商品图片 商品主图 产品图片 产品主图 图 照片 图片路径 图片文件 图片地址 文件 文件名"},
    {"description",
     "description desc details detail productdescription longdescription body 描述 商品描述 产品描述 详情 商品详情 "
     "说明 介绍 商品介绍 产品介绍 产品说明"},
    {"price", "price unitprice saleprice sellingprice retailprice amount cost 价格 售价 单价 销售价 零售价 商品价格 "
              "价钱 一口价"},
    {"category",
     "category cat categories producttype type class 类目 分类 品类 类别 商品分类 商品类目 产品分类 产品类别 种类"},
    {"width", "width w 宽 宽度 产品宽度 商品宽度"},
    {"height", "height h 高 高度 产品高度 商品高度"},
    {"depth", "depth d 深 深度 厚 厚度 进深 产品深度 产品厚度"},
    {"length", "length l 长 长度 产品长度"},
    {"weight", "weight 重量 净重 毛重 产品重量 商品重量"},
    {"brand", "brand manufacturer make vendor 品牌 商标 厂商 厂家 制造商 品牌名称"},
    {"color", "color colour 颜色 颜色分类 色彩"},
    {"material", "material fabric 材质 材料 面料"},
    {"size", "size dimensions dimension 尺寸 尺码 规格"},
    {"quantity", "quantity qty stock inventory count 数量 库存 件数"},
    {"language", "language lang locale 语言"},
    {"url", "url link producturl productlink 链接 网址 商品链接"},
    {"keywords", "keywords keyword tags tag 关键词 关键字 标签"},
    {"features", "features bulletpoints sellingpoints highlights 卖点 特点 商品卖点 亮点"},
    {"audience", "audience targetaudience gender 人群 适用人群 目标人群 性别"},
    {"barcode", "barcode ean gtin upc 条码 条形码 商品条码 国际条码"},
});

bool holds(std::string_view names, std::string_view wanted)
{
    while (!names.empty()) {
        const std::size_t space = std::min(names.find(' '), names.size());
        if (names.substr(0, space) == wanted) return true;
        names.remove_prefix(std::min(names.size(), space + 1));
    }
    return false;
}

} // namespace

std::string_view meaningOf(std::string_view plain) noexcept
{
    for (const Meaning& meaning : kMeanings)
        if (holds(meaning.names, plain)) return meaning.thing;
    return {};
}

} // namespace aiflow
