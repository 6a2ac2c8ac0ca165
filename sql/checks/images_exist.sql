-- Every place of an image has its image.
-- on: coverage.images
-- severity: error
-- blocking: yes
-- message: A row of image_uses names no image of coverage.images
select
    'coverage.image_uses.image_id' as place,
    image_uses.image_id as id,
    count(*) as times
from coverage.image_uses
anti join coverage.images
    on image_uses.image_id = images.image_id
group by image_uses.image_id
